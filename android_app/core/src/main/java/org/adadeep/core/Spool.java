package org.adadeep.core;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sessions wait here until the host has said that it has them, so that none is lost with a cable.
 *
 * <p>One file a session, a line for each of its messages; it counts once the last one is there. It
 * outlives the agent, the host and the link; not a power cut within the seconds that the kernel
 * takes to write to flash (an fsync would stall the next measurement).
 */
final class Spool {
    static final String PART = ".part";
    private static final String END = ".jsonl";
    private static final int KEEP = 500; // by number and not by age: a device may have no date

    private final File folder;

    Spool(File folder) {
        this.folder = folder;
        folder.mkdirs();
    }

    /**
     * Removes what a killed agent left unfinished, and of too many sessions the oldest.
     *
     * <p>Only for who holds the device's lock: an unfinished file may be another agent's.
     */
    void tidy() {
        List<File> whole = new ArrayList<File>();
        for (String name : Files.names(folder)) {
            File file = new File(folder, name);
            if (name.endsWith(END)) {
                whole.add(file);
            } else {
                Files.remove(file);
            }
        }
        final Map<File, Long> changed = new HashMap<File, Long>(); // each asked once:
        for (File file : whole) {
            changed.put(file, file.lastModified()); // it must not change while they are sorted
        }
        Collections.sort(whole, new Comparator<File>() {
            @Override
            public int compare(File one, File other) {
                return changed.get(one).compareTo(changed.get(other));
            }
        });
        for (int i = 0; i < whole.size() - KEEP; i++) {
            Files.remove(whole.get(i));
        }
    }

    private File file(String job) {
        return new File(folder, job + END);
    }

    /** A new session, in the place of an older one of that name once it is finished. */
    Spooling begun(String job) {
        return new Spooling(file(job));
    }

    /** The jobs whose sessions wait. */
    List<String> jobs() {
        List<String> jobs = new ArrayList<String>();
        for (String name : Files.names(folder)) {
            if (name.endsWith(END)) {
                jobs.add(name.substring(0, name.length() - END.length()));
            }
        }
        Collections.sort(jobs);
        return jobs;
    }

    /** The messages of a session; empty if there is none that can be read: it is dropped. */
    List<Message> get(String job) {
        List<Message> messages = new ArrayList<Message>();
        if (!Requests.isJob(job)) {
            return messages;
        }
        BufferedReader in = null;
        try {
            FileInputStream file = new FileInputStream(file(job));
            in = new BufferedReader(new InputStreamReader(file, Text.ASCII));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                messages.add((Message) Json.parse(line));
            }
            return messages;
        } catch (IOException error) {
            return dropped(job);
        } catch (IllegalArgumentException error) {
            return dropped(job);
        } catch (ClassCastException error) {
            return dropped(job);
        } finally {
            Files.close(in);
        }
    }

    private List<Message> dropped(String job) {
        remove(Arrays.asList(job));
        return new ArrayList<Message>();
    }

    /** Forgets sessions; those that are not there are passed over. */
    void remove(List<?> jobs) {
        for (Object job : jobs) {
            if (job instanceof String && Requests.isJob((String) job)) {
                Files.remove(file((String) job));
            }
        }
    }
}
