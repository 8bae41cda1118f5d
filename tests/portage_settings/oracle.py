"""What the real `portageq envvar` answers, many times without starting it as often.

Reads one question a line from standard input, as JSON: {"env": {…}, "args": […]}. Answers each with a line:
{"code": …, "stdout": "…", "stderr": "…"}, the streams as Latin-1 so that no byte is lost.

Portage is imported once. Each question is answered by a fork that gets the question's environment, computes Portage's
constants anew from it, and then runs the very script that `portageq` runs, from its first line.
"""

import gc
import importlib
import json
import os
import sys

import portage
import portage.const

SCRIPT = os.path.join(portage.const.PORTAGE_BIN_PATH, "portageq")
with open(SCRIPT, encoding="utf-8") as script:
    CODE = compile(script.read(), SCRIPT, "exec")


def run(question):
    os.environ.clear()
    os.environ.update(question["env"])
    importlib.reload(portage.const)
    sys.argv = [SCRIPT, "envvar", *question["args"]]
    exec(CODE, {"__name__": "__main__", "__file__": SCRIPT})


def child(question, stdout, stderr, modules):
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    code = 0
    try:
        run(question)
    except SystemExit as e:
        code = 0 if e.code is None else e.code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    if modules is not None:
        os.write(modules, json.dumps(sorted(sys.modules)).encode())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def content(fd):
    os.lseek(fd, 0, os.SEEK_SET)
    with os.fdopen(fd, "rb") as stream:
        return stream.read()


def answer(question, modules=None):
    stdout, stderr = os.memfd_create("stdout"), os.memfd_create("stderr")
    pid = os.fork()
    if pid == 0:
        child(question, stdout, stderr, modules)
    _, status = os.waitpid(pid, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "stdout": content(stdout).decode("latin-1"),
        "stderr": content(stderr).decode("latin-1"),
    }


def main():
    # The first answer tells which modules the others will want.
    first = True
    for line in sys.stdin:
        question = json.loads(line)
        if first:
            modules = os.memfd_create("modules")
            reply = answer(question, modules)
            for name in json.loads(content(modules)):
                if name.startswith(("portage.", "_emerge.")) or "." not in name:
                    try:
                        importlib.import_module(name)
                    except Exception:
                        pass
            first = False
            # What is here now stays; collecting it again in every fork would copy its pages.
            gc.disable()
            gc.freeze()
        else:
            reply = answer(question)
        print(json.dumps(reply), flush=True)


main()
