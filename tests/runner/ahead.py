# SPDX-License-Identifier: LGPL-2.1-or-later
"""What need not wait for its turn, done while the suites before it wait for clocks and sockets.

A process of its own in the kernel's idle class: it has only the time that nobody else wants, so no test is slower for it. It builds the folders
that later suites need, then runs the checks that only read the sources. Whoever comes to one that is not done waits for it."""

import contextlib
import io
import multiprocessing
import os
import signal
import traceback

from . import build, count


def step_aside():
    """This process, and all that it starts, is idle work, in a group of its own that one signal ends."""
    os.setsid()
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    # the kernel may share its time among sessions first: then this one is the least of them
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as file:
        file.write("19")


def work(jobs, pipe):
    """(name, what it returned, why it did not, what it printed) of each job, as it ends."""
    step_aside()
    for name, job in jobs:
        value, fault = None, None
        with contextlib.redirect_stdout(io.StringIO()) as said:
            try:
                value = job()
            except build.Failed as failed:
                fault = str(failed)
            except Exception:  # pylint: disable=broad-exception-caught
                fault = traceback.format_exc()
        pipe.send((name, value, fault, said.getvalue()))


class Ahead:
    """Jobs (name, function) under way, in their order; without jobs nothing is started. What they return is pickled."""

    def __init__(self, jobs=()):
        self.names = [name for name, _job in jobs]
        self.done = {}
        self.process = None
        if jobs:
            # forked, for the jobs know the run's folders and options
            context = multiprocessing.get_context("fork")
            self.pipe, theirs = context.Pipe(duplex=False)
            self.process = context.Process(target=work, args=(jobs, theirs), daemon=True)
            self.process.start()
            theirs.close()

    def wait(self, name):
        """What job @name returned, with what it printed; raises build.Failed where it did not return, also where the process ended before."""
        while name not in self.done:
            try:
                ended, *rest = self.pipe.recv()
            except EOFError:
                raise build.Failed(f"{name}, to be done ahead: the process ended before it") from None
            self.done[ended] = rest
        value, fault, said = self.done[name]
        print(said, end="", flush=True)
        if fault:
            raise build.Failed(fault)
        return value

    def tally(self, name, here):
        """The Tally of job @name; of @here, where it is none."""
        if name not in self.names:
            return here()
        try:
            return self.wait(name)
        except build.Failed as failed:
            tally = count.Tally()
            tally.fail(name, str(failed))
            return tally

    def stop(self):
        """Nothing of it runs on."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.join()
