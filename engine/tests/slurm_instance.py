"""A Slurm of one node in a folder of its own: no root, no munge, nothing outside the folder."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

from patience import PATIENCE

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldTimeout=30
SlurmdTimeout=10
MessageTimeout=5
SlurmdParameters=config_overrides
MpiDefault=none
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
JobAcctGatherFrequency=1
JobCompType=jobcomp/none
KillWait=3
SchedulerParameters=sched_interval=1,bf_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=3000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=60 DefMemPerCPU=100 State=UP
"""


def missing():
    """Programs of Slurm that this machine lacks."""
    return [name for name in PROGRAMS if program(name) is None]


def program(name):
    """Where it is; daemons are not on the PATH of everybody."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class Slurm:
    """``more``: further lines of the configuration."""

    def __init__(self, folder, more=""):
        self.folder = folder
        self.config = folder / "slurm.conf"
        self.env = {**os.environ, "SLURM_CONF": str(self.config)}
        self.host = socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        controller_port, node_port = free_ports(2)
        user = pwd.getpwuid(os.getuid()).pw_name
        text = CONFIG.format(
            host=self.host, controller_port=controller_port, node_port=node_port, user=user, folder=folder
        )
        self.config.write_text(text + more)
        self.daemons = {}

    def start(self):
        self.start_daemon("slurmctld", "-i")
        self.start_daemon("slurmd")
        self.wait_until(lambda: self.node_state() == "idle", "the node is not idle")

    def start_daemon(self, name, *options):
        with open(self.folder / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(
                [program(name), "-D", *options],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def stop_daemon(self, name, number=signal.SIGTERM):
        process = self.daemons.pop(name)
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self):
        with contextlib.suppress(subprocess.SubprocessError):
            self.run("scancel", "-u", pwd.getpwuid(os.getuid()).pw_name)
            self.wait_until(lambda: not self.run("squeue", "-h"), "jobs do not end")
        for name in list(self.daemons):
            self.stop_daemon(name)

    def run(self, *command):
        """Output of a command of Slurm. Raises `subprocess.CalledProcessError`."""
        options = {"check": True, "capture_output": True, "text": True, "timeout": PATIENCE}
        return subprocess.run(command, env=self.env, **options).stdout

    def node_state(self):
        with contextlib.suppress(subprocess.SubprocessError):
            return self.run("sinfo", "-h", "-o", "%T").strip()

    def jobs(self, *states):
        """``[(id, state)]`` of array tasks."""
        chosen = ["-t", ",".join(states)] if states else []
        lines = self.run("squeue", "-h", "-r", "-o", "%i %T", *chosen).splitlines()
        return [tuple(line.split()) for line in lines]

    def wait_until(self, condition, else_say):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(subprocess.SubprocessError):  # the controller is busy
                if condition():
                    return
            time.sleep(0.2)
        logs = "\n".join(p.read_text()[-2000:] for p in self.folder.glob("*.log"))
        raise AssertionError(f"{else_say}; {logs}")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()
