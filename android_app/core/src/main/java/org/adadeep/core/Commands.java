package org.adadeep.core;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** Runs commands of the protocol's list, each once, one after the other. Nothing here throws. */
final class Commands {
    private static final int MAX_BYTES = 1 << 16; // of one's output
    private static final int MAX_ALL_BYTES = 3 << 16;
    private static final long ONE_NS = 5000000000L;
    private static final long ALL_NS = 10000000000L;
    private static final long LOOK_MS = 2;

    private final long began = System.nanoTime();
    private int left = MAX_ALL_BYTES;

    /** Each command to what it wrote to its stdout; null where that is not to be had. */
    Message run(List<?> commands) {
        Message said = new Message();
        for (Object item : commands) {
            String command = (String) item;
            if (!said.containsKey(command)) {
                byte[] output = left == 0 ? null : output(command.split(" "));
                left -= output == null ? 0 : output.length;
                said.put(command, output == null ? null : Text.replaced(output, output.length));
            }
        }
        return said;
    }

    private byte[] output(String... words) {
        long until = Math.min(System.nanoTime() + ONE_NS, began + ALL_NS);
        Process process = null;
        try {
            process = new ProcessBuilder(words).start();
            process.getOutputStream().close();
            new Drain(process.getErrorStream(), 0).start();
            Drain stdout = new Drain(process.getInputStream(), Math.min(MAX_BYTES, left));
            stdout.start();
            return finished(process, stdout, until);
        } catch (IOException error) {
            return null;
        } catch (InterruptedException error) {
            return null;
        } finally {
            if (process != null) {
                process.destroy();
            }
        }
    }

    private static byte[] finished(Process process, Drain stdout, long until)
            throws InterruptedException {
        stdout.join(Math.max(1, (until - System.nanoTime()) / 1000000));
        if (stdout.isAlive() || stdout.data == null) {
            return null;
        }
        while (!stdout.isFull) { // a full one is ended there, and what it wrote counts
            try {
                return process.exitValue() == 0 ? stdout.data : null;
            } catch (IllegalThreadStateException stillRuns) {
                if (System.nanoTime() >= until) {
                    return null;
                }
                Thread.sleep(LOOK_MS);
            }
        }
        return stdout.data;
    }

    /** Reads a stream, at most so many bytes; of 0 it throws away all that comes. */
    private static final class Drain extends Thread {
        private final InputStream in;
        private final int most;
        volatile byte[] data;
        volatile boolean isFull;

        Drain(InputStream in, int most) {
            this.in = in;
            this.most = most;
            setDaemon(true);
        }

        @Override
        public void run() {
            try {
                if (most > 0) {
                    byte[] found = Readings.read(in, most);
                    isFull = found.length == most && in.read() >= 0;
                    data = found;
                } else {
                    byte[] thrownAway = new byte[1024];
                    while (in.read(thrownAway) >= 0) {
                        continue;
                    }
                }
            } catch (IOException error) {
                data = null;
            }
        }
    }
}
