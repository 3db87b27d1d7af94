package org.adadeep.core;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Files that are read around each block; opened once, read from their beginning each time.
 *
 * <p>By the thread that runs the models: `/proc/thread-self/` is that of who opens it.
 */
final class BlockTexts {
    private static final int MAX_TEXT = 256; // bytes of one
    private static final String OWN_THREAD = "/proc/thread-self/"; // kernels before 3.17 lack it
    private static final String OWN_PROCESS = "/proc/self/";

    private final List<?> entries;
    private final Wanted[] wanted;
    private final Map<String, RandomAccessFile> files = new HashMap<String, RandomAccessFile>();
    private final byte[] buffer = new byte[Readings.MAX_TEXT];
    private byte[][] behind; // what was read behind the block before; null after a pause
    private long behindCore;

    /** What an entry asks for. */
    private static final class Wanted {
        final String path;
        final boolean isOfCore;
        final byte[] key;

        Wanted(String entry) {
            int mark = entry.indexOf('#');
            path = mark < 0 ? entry : entry.substring(0, mark);
            isOfCore = path.contains("{core}");
            key = mark < 0 ? new byte[0] : entry.substring(mark + 1).getBytes(Text.UTF_8);
        }
    }

    /**
     * @param entries paths; `{core}` stands for the core in use, `#KEY` behind one for its first
     *     line that begins so.
     */
    BlockTexts(List<?> entries) {
        this.entries = entries;
        wanted = new Wanted[entries.size()];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = new Wanted((String) entries.get(i));
        }
    }

    List<?> entries() {
        return entries;
    }

    /** What each holds now; null for one that can't be read. */
    byte[][] read(long core) {
        byte[][] texts = new byte[wanted.length][];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = read(wanted[i], core);
        }
        return texts;
    }

    /** As {@link #read}, ahead of a block: what was read behind the one just before still holds. */
    byte[][] ahead(long core) {
        return behind == null || behindCore != core ? read(core) : behind;
    }

    /** As {@link #read}, behind a block that began on this core. */
    byte[][] behind(long core) {
        behind = read(core);
        behindCore = core;
        return behind;
    }

    /** The next block does not follow at once. */
    void pause() {
        behind = null;
    }

    private byte[] read(Wanted entry, long core) {
        String path = entry.path;
        if (entry.isOfCore) {
            if (core == Clocks.UNKNOWN) {
                return null;
            }
            path = path.replace("{core}", Long.toString(core));
        }
        if (!files.containsKey(path)) {
            files.put(path, opened(path));
        }
        RandomAccessFile file = files.get(path);
        if (file == null) {
            return null;
        }
        try {
            file.seek(0);
            int count = Math.max(0, file.read(buffer, 0, buffer.length));
            return entry.key.length == 0
                    ? Arrays.copyOf(buffer, Math.min(count, MAX_TEXT))
                    : line(buffer, count, entry.key);
        } catch (IOException error) {
            return null;
        }
    }

    private static RandomAccessFile opened(String path) {
        try {
            return new RandomAccessFile(path, "r");
        } catch (IOException error) {
            boolean isOwn = path.startsWith(OWN_THREAD);
            return isOwn ? opened(OWN_PROCESS + path.substring(OWN_THREAD.length())) : null;
        }
    }

    /** The first line that begins with a key, without its line feed; empty if there is none. */
    static byte[] line(byte[] data, int count, byte[] key) {
        int begin = 0;
        while (begin < count) {
            int end = begin;
            while (end < count && data[end] != '\n') {
                end++;
            }
            if (beginsWith(data, begin, end, key)) {
                return Arrays.copyOfRange(data, begin, Math.min(end, begin + MAX_TEXT));
            }
            begin = end + 1;
        }
        return new byte[0];
    }

    private static boolean beginsWith(byte[] data, int begin, int end, byte[] key) {
        if (end - begin < key.length) {
            return false;
        }
        for (int i = 0; i < key.length; i++) {
            if (data[begin + i] != key[i]) {
                return false;
            }
        }
        return true;
    }

    /** Closes the files. */
    void close() {
        for (RandomAccessFile file : files.values()) {
            Files.close(file);
        }
        files.clear();
    }
}
