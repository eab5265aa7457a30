from kinds import Asks, Broken, Child, Environment, Fails, FailsInPart, Joined, Outputs, Parallel, Slow, Trivial
from sisyphus import tk


def chain(n):
    out = None
    for i in range(n):
        out = Trivial(i, [out] if out else []).out
    tk.register_output("chain", out)


def slow(resume=True):
    tk.register_output("slow", Slow("one", resume).add_alias("the/slow/one").out)


def fails(how):
    tk.register_output("fails", Trivial(1, [Fails(how).out]).out)
    tk.register_output("other", Trivial(2).out)


def asks(rqmt):
    tk.register_output("asks", Asks(rqmt).out)
    tk.register_output("other", Trivial(2).out)


def two_gpu_jobs():
    tk.register_output("a", Asks({"gpu": 1, "time": 1}).out)
    tk.register_output("b", Asks({"gpu": 1, "time": 2}).out)
    tk.register_output("c", Asks({"time": 3}).out)


def environment():
    tk.register_output("environment", Environment().set_env("MINE", "yes").out)


def outputs(*write):
    job = Outputs(list(write))
    tk.register_output("a", job.a)
    tk.register_output("after", Trivial(1, [job.a]).out)


def broken_recipe(how):
    tk.register_output("broken", Broken(how).out)
    tk.register_output("other", Trivial(2).out)


def callbacks():
    tk.register_callback(lambda path: path.no_such_method(), Trivial(1).out)
    tk.register_report("report", {"number": Trivial(1).out}, template="{misspelt}")
    tk.register_output("other", Trivial(2).out)


def diamond():
    first = Trivial(0)
    left, right = Trivial(1, [first.out]), Trivial(2, [first.out])
    tk.register_output("diamond", Joined([first.out, left.out, right.out]).out)


def child():
    tk.register_output("slow", Child().out)


def slow_and_fails():
    tk.register_output("slow", Slow("one").out)
    tk.register_output("failed", Fails("raise").out)


def fails_in_part():
    tk.register_output("part", FailsInPart().out)


def parallel():
    tk.register_output("parallel", Parallel().out)


def broken():
    raise KeyError("broken config")


def missing_input():
    tk.register_output("x", Trivial(1, [tk.Path("nowhere/file")]).out)


def held():
    tk.register_output("held", Trivial(1, [Trivial(5).hold().out]).out)


async def waits():
    first = Trivial(1)
    await tk.async_run(first.out)
    with open(first.out.get_path()) as f:
        second, third = Trivial(int(f.read()) + 100), Trivial(7)
    await tk.async_gather(tk.async_run(second.out), tk.async_run([third.out]))
    tk.register_output("async", second.add_alias("made/later").out)
