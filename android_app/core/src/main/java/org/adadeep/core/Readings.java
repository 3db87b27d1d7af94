package org.adadeep.core;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What files and commands say of the device's state, as text; the host makes values of it.
 *
 * <p>What can't be read is null; nothing here throws.
 */
public final class Readings {
    static final int MAX_PATTERN = 200; // characters
    static final int MAX_TEXT = 4096; // bytes of one file
    private static final int MAX_TEXTS = 1000;
    private static final int MAX_TEXTS_BYTES = 1 << 16;
    private static final Set<String> LINKS_OUT = new HashSet<String>(
            Arrays.asList("..", "root", "cwd", "exe", "fd", "map_files"));

    private Readings() {}

    /** A reading, as the `before` and `after` of a result hold it: the files, then the commands. */
    static Message reading(List<?> patterns, List<?> commands) {
        double seconds = System.currentTimeMillis() / 1000.0;
        Message texts = texts(patterns);
        Message said = new Commands().run(commands);
        return new Message()
                .with("timestamp", seconds)
                .with("texts", texts)
                .with("commands", said);
    }

    /** Whether a path, or a pattern of paths, is one that a host may have read. */
    static boolean isReadable(String path) {
        boolean isBelow = path.startsWith("/sys/") || path.startsWith("/proc/");
        if (!isBelow || path.indexOf(0) >= 0
                || path.codePointCount(0, path.length()) > MAX_PATTERN) {
            return false;
        }
        for (String name : path.split("/")) {
            if (LINKS_OUT.contains(name)) {
                return false;
            }
        }
        return true;
    }

    /** Path to text, in the order of the patterns until a bound is reached. */
    static Message texts(List<?> patterns) {
        Message texts = new Message();
        int left = MAX_TEXTS_BYTES;
        for (Object item : patterns) {
            String pattern = (String) item;
            for (String path : expanded(pattern)) {
                if (texts.size() == MAX_TEXTS || left == 0) {
                    return texts;
                }
                File file = new File(path);
                byte[] data = read(file, Math.min(MAX_TEXT, left));
                if (data != null || pattern.indexOf('*') < 0 || file.exists()) {
                    texts.put(path, data == null ? null : Text.replaced(data, data.length));
                    left -= data == null ? 0 : data.length;
                }
            }
        }
        return texts;
    }

    /** The paths that a pattern stands for, in order; `*` is any part of one name. */
    static List<String> expanded(String pattern) {
        List<String> paths = new ArrayList<String>();
        paths.add("");
        for (String name : pattern.substring(1).split("/", -1)) {
            List<String> longer = new ArrayList<String>();
            for (String path : paths) {
                if (name.indexOf('*') < 0) {
                    longer.add(path + "/" + name);
                } else {
                    addFitting(longer, path, name);
                }
            }
            paths = longer;
        }
        List<String> readable = new ArrayList<String>();
        for (String path : paths) {
            if (isReadable(path)) {
                readable.add(path);
            }
        }
        return readable;
    }

    private static void addFitting(List<String> paths, String folder, String pattern) {
        String[] names = new File(folder + "/").list();
        if (names == null) {
            return;
        }
        Arrays.sort(names);
        for (String name : names) {
            if (fits(name, pattern)) {
                paths.add(folder + "/" + name);
            }
        }
    }

    /** Whether `*` in a pattern can stand for parts of a name so that they are the same. */
    static boolean fits(String name, String pattern) {
        String[] parts = pattern.split("\\*", -1);
        String last = parts[parts.length - 1];
        if (parts.length == 1) {
            return name.equals(pattern);
        }
        int at = name.startsWith(parts[0]) ? parts[0].length() : -1;
        for (int i = 1; i < parts.length - 1 && at >= 0; i++) {
            int found = name.indexOf(parts[i], at);
            at = found < 0 ? -1 : found + parts[i].length();
        }
        return at >= 0 && name.length() - last.length() >= at && name.endsWith(last);
    }

    /** The beginning of a file; null if it can't be read. */
    public static byte[] read(File file, int most) {
        if (file.isDirectory()) {
            return null;
        }
        try {
            InputStream in = new FileInputStream(file);
            try {
                return read(in, most);
            } finally {
                in.close();
            }
        } catch (IOException error) {
            return null;
        }
    }

    /** What a stream holds, at most so many bytes. */
    public static byte[] read(InputStream in, int most) throws IOException {
        byte[] data = new byte[most];
        int count = 0;
        while (count < most) {
            int got = in.read(data, count, most - count);
            if (got < 0) {
                break;
            }
            count += got;
        }
        return Arrays.copyOf(data, count);
    }
}
