"""Process 1 of a phone: starts adbd and reaps what nobody waits for, as Android's init does.

A shell won't do: what it starts in the background ignores SIGINT, and so would all that adbd starts.
"""
import os
import subprocess
import sys

LISTENER = 3

adbd = subprocess.Popen(sys.argv[1:], pass_fds=(LISTENER,))
os.close(LISTENER)
while os.wait()[0] != adbd.pid:
    pass
