# SPDX-License-Identifier: LGPL-2.1-or-later
# ---- behind the wire half of examples/subtitles/subtitles.py: one tool that runs what it is told ----
PLUGIN = ("tested", "1.0.0")


class Probe:
    def __init__(self, call, settings):
        pass

    def Tool(self, member, call, arguments):
        if member == "List":
            return "s", ("[]",)
        told = {"call": call, "os": os, "threading": threading, "time": time}
        try:
            exec(json.loads(arguments[1])["code"], told)
        except ReeveError:
            raise
        except OSError as error:
            return "ssb", (f"{type(error).__name__} {error.errno}", "", True)
        except Exception as error:
            return "ssb", (f"{type(error).__name__} {error}", "", True)
        return "ssb", (str(told.get("answer")), told.get("data", ""), False)

    def Extractor(self, member, call, arguments):
        if member == "MediaTypes":
            return "as", (["text/plain"],)
        with Stream(arguments[3]) as pages:
            pages.write({})
            for number in range(1, 100000):
                call.check()
                pages.write({"page": number}, b"x" * 4096)
                time.sleep(0.001)
        return None, ()


if __name__ == "__main__":
    Wire(Probe).run()
