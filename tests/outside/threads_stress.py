# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs, streams, cancels, writes, reloads, a busy bus and the shutdown in any order, in the build for the race checker, whose reports are findings.

| what | CI | long |
| --- | --- | --- |
| rounds: a start on the same state, random load, SIGTERM in the midst of it | 4 | 150 |
| clients at once, and one on the bus | 6 | 6 |
| load before the stop | 1 to 4 s | 1 to 4 s |

The seed is printed; REEVE_TEST_SEED=N makes the same choices again (the order of threads is the machine's).
"""

import os
import random
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main, size
from stress import CONFIG, Load, answers
from test_bus import Bus

ROUNDS = size(4, 150)


class Stress(unittest.TestCase):
    def test_everything_at_once_and_a_stop(self):
        seed = int(os.environ.get("REEVE_TEST_SEED", time.time_ns() % 1000000))
        print(f"REEVE_TEST_SEED={seed}", flush=True)
        rng = random.Random(seed)
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        mock.default = answers(random.Random(seed))
        bus = Bus()
        self.addCleanup(bus.close)
        host = Host(config=CONFIG.format(url=mock.base_url), bus="session", environment=bus.environment)
        self.addCleanup(host.close)
        for number in range(ROUNDS):
            host.start()
            agent = host.agent()
            with Load(host, agent, rng, bus=bus) as load:
                time.sleep(rng.uniform(1, 4))
                host.stop()  # the race checker makes the exit code 66 where it has found one
            self.assertEqual(load.faults, [], f"round {number}, seed {seed}")
            self.assertGreater(load.done, 5, f"round {number}, seed {seed}")


if __name__ == "__main__":
    main()
