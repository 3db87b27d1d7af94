package org.adadeep.agent;

import java.io.File;
import java.io.IOException;
import java.math.BigInteger;
import org.adadeep.core.Affinity;
import org.adadeep.core.ErrorCode;
import org.adadeep.core.Files;
import org.adadeep.core.Memory;
import org.adadeep.core.Readings;
import org.adadeep.core.WireError;

/**
 * Pins the thread that it is called by, with the device's own `taskset`; then sees in /proc whether
 * the kernel did it. Threads that this one begins, such as the runtime's, are pinned as it is.
 */
final class Taskset implements Affinity {
    private final String first = allowed(); // null where the kernel does not tell
    private String now = first;

    @Override
    public void pin(String mask) {
        String wanted = mask == null ? first : normal(mask);
        if (wanted == null || wanted.equals(now)) {
            return;
        }
        String said = run(wanted);
        now = allowed();
        if (!wanted.equals(now)) {
            String granted = said.isEmpty() ? "got the cores " + now : said;
            throw bad("core mask " + wanted + " refused: " + granted);
        }
    }

    private static WireError bad(String text) {
        return new WireError(ErrorCode.BAD_CORE_MASK, text);
    }

    private static String normal(String mask) {
        try {
            BigInteger bits = new BigInteger(mask, 16);
            if (bits.signum() > 0) {
                return bits.toString(16);
            }
        } catch (NumberFormatException error) {
            throw bad("a core mask is hexadecimal");
        }
        throw bad("a core mask has at least one core");
    }

    /** The cores that this thread may run on, as a mask without leading zeros. */
    private static String allowed() {
        byte[] status = Readings.read(new File(thread(), "status"), 1 << 14);
        String mask = status == null ? "" : Memory.value(status, "Cpus_allowed:");
        return mask.isEmpty() ? null : new BigInteger(mask.replace(",", ""), 16).toString(16);
    }

    /** This thread in /proc; before Linux 3.17 the process, whose first thread is Android's own. */
    private static File thread() {
        File thread = new File("/proc/thread-self");
        return thread.exists() ? thread : new File("/proc/self");
    }

    /** What it said where it failed. */
    private static String run(String mask) {
        Process process = null;
        try {
            String number = thread().getCanonicalFile().getName();
            process = new ProcessBuilder("taskset", "-p", mask, number)
                    .redirectErrorStream(true).start();
            process.getOutputStream().close();
            byte[] said = Readings.read(process.getInputStream(), 300);
            return process.waitFor() == 0 ? "" : new String(said, "UTF-8").trim();
        } catch (IOException error) {
            return String.valueOf(error.getMessage());
        } catch (InterruptedException error) {
            return "interrupted";
        } finally {
            if (process != null) {
                Files.close(process.getInputStream());
                process.destroy();
            }
        }
    }
}
