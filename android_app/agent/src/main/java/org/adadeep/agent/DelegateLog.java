package org.adadeep.agent;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.adadeep.core.Files;
import org.adadeep.core.Message;

/**
 * Who took how many nodes of a model, out of what TensorFlow Lite says about it.
 *
 * <p>Java can only ask for the length of the plan, in which all that a delegate took in one piece
 * is one node. What the delegates took TensorFlow Lite says in Android's log and, for programs of a
 * shell, on stderr (with the word for how grave it is in front), which is a file of ours.
 */
final class DelegateLog {
    private static final int MOST_BYTES = 1 << 16; // of what one model says
    private static final Pattern SAID = Pattern.compile(
            "(?m)^[A-Z]+: Replacing (\\d{1,9}) out of (\\d{1,9}) node\\(s\\) with delegate"
                    + " \\(([^)\n]{1,80})\\)");

    private final File file; // null where stderr is no file

    DelegateLog(File file) {
        this.file = file;
    }

    /** Of this process, if its stderr is a file. */
    static DelegateLog ofStderr() {
        File stderr = new File("/proc/self/fd/2");
        return new DelegateLog(stderr.isFile() ? stderr : null);
    }

    /** Where the next word will stand. */
    long end() {
        return file == null ? 0 : file.length();
    }

    /**
     * {name, nodes} of each delegate, then of the runtime's own kernels ("none"), as far as they
     * were counted.
     *
     * @param from where the log ended before the model was loaded.
     * @param to where it ended after that.
     * @param planLength of the model.
     */
    List<Message> between(long from, long to, int planLength) {
        return file == null ? new ArrayList<Message>() : counted(read(from, to), planLength);
    }

    private String read(long from, long to) {
        RandomAccessFile in = null;
        try {
            in = new RandomAccessFile(file, "r");
            in.seek(from);
            byte[] data = new byte[(int) Math.max(0, Math.min(MOST_BYTES, to - from))];
            in.readFully(data);
            return new String(data, "ISO-8859-1");
        } catch (IOException error) {
            return "";
        } finally {
            Files.close(in);
        }
    }

    static List<Message> counted(String said, int planLength) {
        Map<String, Integer> taken = new TreeMap<String, Integer>();
        int own = planLength;
        Matcher line = SAID.matcher(said);
        while (line.find()) {
            int nodes = Integer.parseInt(line.group(1));
            String name = plainName(line.group(3));
            own = (taken.isEmpty() ? 0 : own) + Integer.parseInt(line.group(2)) - nodes;
            taken.put(name, nodes + (taken.containsKey(name) ? taken.get(name) : 0));
        }
        List<Message> delegates = new ArrayList<Message>();
        for (Map.Entry<String, Integer> one : taken.entrySet()) {
            add(delegates, one.getKey(), one.getValue());
        }
        add(delegates, "none", own);
        return delegates;
    }

    private static void add(List<Message> delegates, String name, int nodes) {
        if (nodes > 0) {
            delegates.add(new Message().with("name", name).with("nodes", nodes));
        }
    }

    /** "TfLiteXNNPackDelegate" is what other agents call "XNNPACK". */
    private static String plainName(String name) {
        return name.equals("TfLiteXNNPackDelegate") ? "XNNPACK" : name;
    }
}
