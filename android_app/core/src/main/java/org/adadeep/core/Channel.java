package org.adadeep.core;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Requests from the host, read by a thread of its own so that a session can be cancelled; replies.
 */
public final class Channel {
    private static final long IDLE_S = 1800; // a link that broke must not keep the device for ever
    private static final byte[] END = new byte[0];
    private static final byte[] CANCEL = "\"cancel\"".getBytes(Text.ASCII);

    private final InputStream source;
    private final OutputStream sink;
    private final LinkedBlockingQueue<byte[]> requests = new LinkedBlockingQueue<byte[]>();
    private volatile boolean isCancelled;
    private volatile boolean hasEnded;

    public Channel(InputStream source, OutputStream sink) {
        this.source = source;
        this.sink = sink;
    }

    /** Begins to read. */
    public void open() {
        Thread reader = new Thread("reader") {
            @Override
            public void run() {
                read();
            }
        };
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try {
            byte[] piece = new byte[1 << 16];
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int count = source.read(piece); count >= 0; count = source.read(piece)) {
                int begin = 0;
                for (int i = 0; i < count; i++) {
                    if (piece[i] == '\n') {
                        line.write(piece, begin, i - begin);
                        take(line.toByteArray());
                        line.reset();
                        begin = i + 1;
                    }
                }
                line.write(piece, begin, count - begin);
            }
        } catch (IOException error) {
            System.err.println("adadeep: stdin: " + error);
        } catch (OutOfMemoryError error) {
            System.err.println("adadeep: a request is too long: " + error);
        }
        hasEnded = true;
        requests.add(END);
    }

    private void take(byte[] line) {
        if (BytesSearch.contains(line, CANCEL) && isCancel(line)) {
            isCancelled = true;
        }
        requests.add(line);
    }

    /** A model may be called so, too. */
    private static boolean isCancel(byte[] line) {
        try {
            return "cancel".equals(Requests.decode(line).text("type"));
        } catch (WireError error) {
            return false;
        }
    }

    /** Whether the session in hand is not wanted any more. */
    boolean isCancelled() {
        return isCancelled;
    }

    void forgetCancel() {
        isCancelled = false;
    }

    /** Whether the host has closed its end. */
    boolean hasEnded() {
        return hasEnded;
    }

    /** The next line; null when the host has closed its end, or was silent for too long. */
    byte[] nextRequest() {
        try {
            byte[] line = requests.poll(IDLE_S, TimeUnit.SECONDS);
            return line == END ? null : line;
        } catch (InterruptedException error) {
            return null;
        }
    }

    /** A message as a line, its line feed included. */
    static byte[] line(Message message) {
        return Json.line(message);
    }

    /**
     * Writes a reply.
     *
     * @throws HostGone nobody is there.
     */
    void send(byte[] line) {
        try {
            sink.write(line);
            sink.flush();
        } catch (IOException error) {
            throw new HostGone(String.valueOf(error.getMessage()));
        }
    }
}
