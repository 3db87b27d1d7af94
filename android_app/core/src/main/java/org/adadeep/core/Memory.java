package org.adadeep.core;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Collection;
import java.util.Locale;

/** Memory of this process and of the device, by /proc. */
public final class Memory {
    private static final int ROOM = 3; // times a model's size that it takes when it is loaded
    private static final int MOST_NAMED = 8;

    private final boolean wasReset;
    private final Long before;

    /** From now on the peak is counted. */
    Memory() {
        boolean isReset = true;
        try {
            OutputStream out = new FileOutputStream("/proc/self/clear_refs");
            try {
                out.write('5'); // VmHWM becomes VmRSS
            } finally {
                out.close();
            }
        } catch (IOException error) {
            isReset = false;
        }
        wasReset = isReset;
        before = bytes("/proc/self/status", "VmRSS:");
    }

    /** The fields of `memory` in a result. */
    Message report() {
        Long peak = bytes("/proc/self/status", "VmHWM:");
        boolean isKnown = peak != null && before != null && wasReset;
        return new Message()
                .with("rss_before_bytes", before)
                .with("peak_rss_bytes", peak)
                .with("rss_growth_bytes", isKnown ? peak - before : null)
                .with("peak_was_reset", wasReset);
    }

    /** Bytes that programs can have without swapping; null where the kernel does not tell. */
    static Long available() {
        return bytes("/proc/meminfo", "MemAvailable:");
    }

    private static Long bytes(String path, String key) {
        byte[] data = Readings.read(new File(path), 1 << 14);
        return data == null ? null : bytes(data, key);
    }

    /** The "12 kB" in the line of a key, in bytes; null if there is none. */
    static Long bytes(byte[] data, String key) {
        try {
            return Long.parseLong(value(data, key)) * 1024;
        } catch (NumberFormatException error) {
            return null;
        }
    }

    /** The first word behind a key that begins a line; empty if there is none. */
    public static String value(byte[] data, String key) {
        byte[] found = BlockTexts.line(data, data.length, key.getBytes(Text.ASCII));
        String[] words = Text.replaced(found, found.length).trim().split("\\s+");
        return words.length < 2 ? "" : words[1];
    }

    /**
     * Sees that there is room for all the models at once.
     *
     * @throws WireError `out_of_memory`.
     */
    static void require(Collection<Entry> entries, double coldBytes, Long free) {
        double need = coldBytes;
        StringBuilder names = new StringBuilder();
        Entry largest = null;
        int count = 0;
        for (Entry entry : entries) {
            need += (double) ROOM * entry.bytes;
            if (count++ < MOST_NAMED) {
                names.append(count > 1 ? ", " : "").append(entry.name);
                names.append(String.format(Locale.ROOT, " %.1f MB", entry.bytes / 1e6));
            }
            largest = largest == null || entry.bytes > largest.bytes ? entry : largest;
        }
        if (free == null || need <= free || largest == null) {
            return;
        }
        String text = String.format(Locale.ROOT,
                "not enough memory to hold the models at once: %s take about %.0f MB,"
                        + " and %.0f MB are free", names, need / 1e6, free / 1e6);
        throw new WireError(ErrorCode.OUT_OF_MEMORY, text).of(largest.name);
    }
}
