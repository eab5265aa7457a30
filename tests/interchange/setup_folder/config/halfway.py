from sisyphus import tk
from stages import Fails, Quick, Slow


def py():
    first = Quick()
    first.add_alias("first")
    slow, failed = Slow(inputs=[first.out]), Fails(inputs=[first.out])
    last = Quick(inputs=[slow.out, failed.out])
    last.add_alias("in a folder/last")
    tk.register_output("first", first.out)
    tk.register_output("first number", first.number)
    tk.register_output("deep/last", last.out)
