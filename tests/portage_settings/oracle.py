"""Runs the real `portageq envvar` many times in few processes.

Reads one question per line from standard input, as JSON: {"env": {…}, "args": […]}. Answers each with a line:
{"code": …, "stdout": "…", "stderr": "…"}. The streams are decoded as Latin-1, so that no byte is lost.

The process imports Portage once. Each fork answers a few questions and exits. For each question it sets the environment,
computes Portage's constants again, discards all earlier settings, and runs the script of `portageq` from its first line.
A test checks that the answers are the same as those of a separate process for each question.
"""

import gc
import importlib
import json
import os
import sys
import traceback

import portage
import portage.const

SCRIPT = os.path.join(portage.const.PORTAGE_BIN_PATH, "portageq")
with open(SCRIPT, encoding="utf-8") as script:
    CODE = compile(script.read(), SCRIPT, "exec")

# The number of questions that one fork answers.
SERVED = 20


def run(question):
    os.environ.clear()
    os.environ.update(question["env"])
    importlib.reload(portage.const)
    portage._reset_legacy_globals()
    portage.data._initialized_globals.clear()
    sys.argv = [SCRIPT, "envvar", *question["args"]]
    exec(CODE, {"__name__": "__main__", "__file__": SCRIPT})


def content(fd):
    os.lseek(fd, 0, os.SEEK_SET)
    with os.fdopen(fd, "rb") as stream:
        return stream.read().decode("latin-1")


def answer(question):
    """Runs portageq and captures both streams."""
    own = os.dup(1), os.dup(2)
    caught = os.memfd_create("stdout"), os.memfd_create("stderr")
    for number in 0, 1:
        os.dup2(caught[number], number + 1)
    try:
        run(question)
        code = 0
    except SystemExit as e:
        code = 0 if e.code is None else e.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    for number in 0, 1:
        os.dup2(own[number], number + 1)
        os.close(own[number])
    return {"code": code, "stdout": content(caught[0]), "stderr": content(caught[1])}


def line():
    """Reads the next question. The test waits for each answer, so there is never more than one to read."""
    read = b""
    while not read.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            return None
        read += part
    return read


def serve(questions, modules=None):
    """Answers some questions in a fork. Returns whether there may be more."""
    pid = os.fork()
    if pid == 0:
        status = 0
        for _ in range(questions):
            question = line()
            if question is None:
                status = 1
                break
            print(json.dumps(answer(json.loads(question))), flush=True)
        if modules is not None:
            os.write(modules, json.dumps(sorted(sys.modules)).encode())
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def main():
    # The first answer imports the modules that the others need.
    modules = os.memfd_create("modules")
    more = serve(1, modules)
    for name in json.loads(content(modules)):
        if name.startswith(("portage.", "_emerge.")) or "." not in name:
            try:
                importlib.import_module(name)
            except Exception:
                pass
    # Freeze the current objects, because collecting them again in every fork would copy their pages.
    gc.disable()
    gc.freeze()
    while more:
        more = serve(SERVED)


main()
