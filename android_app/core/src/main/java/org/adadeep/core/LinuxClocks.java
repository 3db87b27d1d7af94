package org.adadeep.core;

import java.io.IOException;
import java.io.RandomAccessFile;

/**
 * The clocks of a Linux kernel, by Java and /proc. For one thread: that which runs the models.
 *
 * <p>Boot time has steps of 10 ms. The processor time of the whole process is not to be had by Java
 * in finer steps than that, which is too coarse for a block: unknown.
 */
public final class LinuxClocks extends Clocks {
    private static final int CORE_FIELD = 39 - 3; // of stat, counted from the one behind the name

    private final byte[] buffer = new byte[1024];
    private final RandomAccessFile uptime = opened("/proc/uptime");
    private final RandomAccessFile stat = ownStat();

    private static RandomAccessFile opened(String path) {
        try {
            return new RandomAccessFile(path, "r");
        } catch (IOException error) {
            return null;
        }
    }

    private static RandomAccessFile ownStat() {
        RandomAccessFile thread = opened("/proc/thread-self/stat");
        return thread == null ? opened("/proc/self/stat") : thread; // before Linux 3.17
    }

    private int read(RandomAccessFile file) {
        if (file == null) {
            return 0;
        }
        try {
            file.seek(0);
            return file.read(buffer, 0, buffer.length);
        } catch (IOException error) {
            return 0;
        }
    }

    @Override
    public long now() {
        return System.nanoTime();
    }

    @Override
    public long boot() {
        return uptimeNs(buffer, read(uptime));
    }

    @Override
    public long cpu() {
        return UNKNOWN;
    }

    @Override
    public long core() {
        return core(buffer, read(stat));
    }

    /** "12.34 5.67" of /proc/uptime: the first number, in ns. */
    static long uptimeNs(byte[] text, int count) {
        long value = 0;
        int decimals = -1;
        for (int i = 0; i < count && text[i] != ' '; i++) {
            if (text[i] == '.' && decimals < 0) {
                decimals = 0;
            } else if (text[i] >= '0' && text[i] <= '9' && decimals < 9) {
                value = value * 10 + text[i] - '0';
                decimals += decimals < 0 ? 0 : 1;
            } else {
                return UNKNOWN;
            }
        }
        if (decimals < 0) {
            return UNKNOWN;
        }
        for (; decimals < 9; decimals++) {
            value *= 10;
        }
        return value;
    }

    /** "4711 (a (b) c) R 1 ...": the number of the core in use. */
    static long core(byte[] text, int count) {
        int at = count - 1;
        while (at >= 0 && text[at] != ')') { // the name may hold what it will
            at--;
        }
        for (int field = -1; at >= 0 && at < count; at++) {
            if (text[at] == ' ' && ++field == CORE_FIELD) {
                long core = UNKNOWN;
                while (++at < count && text[at] >= '0' && text[at] <= '9') {
                    core = Math.max(core, 0) * 10 + text[at] - '0';
                }
                return core;
            }
        }
        return UNKNOWN;
    }
}
