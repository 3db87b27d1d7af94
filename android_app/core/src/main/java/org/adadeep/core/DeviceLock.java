package org.adadeep.core;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;

/**
 * Holds the device for one agent; its process id stands in the file meanwhile.
 *
 * <p>A record lock (fcntl): all that Java has. It is free when the process has ended, however.
 */
final class DeviceLock implements Closeable {
    private static final long LOOK_MS = 20;

    private final RandomAccessFile file;

    private DeviceLock(RandomAccessFile file) {
        this.file = file;
    }

    /**
     * Waits for the device.
     *
     * @param path of the lock.
     * @param waitMs at most so long.
     * @param channel asked whether the host is still there.
     * @param pid of this process.
     * @throws WireError `busy`: another agent held it until the end of the wait.
     * @throws HostGone nobody waits for it any more.
     * @throws IOException the file can't be opened.
     */
    static DeviceLock taken(File path, double waitMs, Channel channel, long pid)
            throws IOException {
        long began = System.nanoTime();
        RandomAccessFile file = new RandomAccessFile(path, "rw");
        boolean isMine = false;
        try {
            while (tried(file) == null) {
                if (channel.hasEnded()) {
                    throw new HostGone("gone while the device was busy");
                }
                if ((System.nanoTime() - began) / 1e6 >= waitMs) {
                    throw new WireError(ErrorCode.BUSY, busy(file));
                }
                pause();
            }
            file.setLength(0);
            file.writeBytes(Long.toString(pid));
            isMine = true;
            return new DeviceLock(file);
        } finally {
            if (!isMine) {
                file.close();
            }
        }
    }

    private static FileLock tried(RandomAccessFile file) throws IOException {
        try {
            return file.getChannel().tryLock();
        } catch (OverlappingFileLockException error) {
            return null; // another one in this process; tests only
        }
    }

    private static void pause() {
        try {
            Thread.sleep(LOOK_MS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private static String busy(RandomAccessFile file) throws IOException {
        byte[] said = new byte[20];
        file.seek(0);
        int count = Math.max(0, file.read(said));
        String holder = Text.replaced(said, count).trim();
        return "another agent is measuring on this device (process "
                + (holder.isEmpty() ? "unknown" : holder) + ")";
    }

    @Override
    public void close() {
        Files.close(file);
    }
}
