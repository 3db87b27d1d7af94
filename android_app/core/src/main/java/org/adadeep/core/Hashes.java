package org.adadeep.core;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.Map;

/**
 * SHA-256 of files; one that has not changed is read once.
 *
 * <p>Java sees of a file only its size and the time of its last change, whose steps may be a
 * second. So what is known counts only if the last change was well before the file was read.
 */
public final class Hashes {
    private static final long SETTLED_MS = 3000;

    private final Map<String, String[]> known = new HashMap<String, String[]>();

    /**
     * In hexadecimal.
     *
     * @throws WireError `model_missing`.
     */
    String of(File file) {
        long changed = file.lastModified();
        String state = file.length() + " " + changed;
        String[] found = known.get(file.getPath());
        if (found != null && found[0].equals(state)) {
            return found[1];
        }
        boolean isSettled = Math.abs(System.currentTimeMillis() - changed) > SETTLED_MS;
        try {
            String hash = sha256(file);
            known.remove(file.getPath());
            if (isSettled) {
                known.put(file.getPath(), new String[] {state, hash});
            }
            return hash;
        } catch (IOException error) {
            throw new WireError(ErrorCode.MODEL_MISSING,
                    "can't read the model: " + Text.brief(error));
        }
    }

    /**
     * The SHA-256 of a file, in hexadecimal.
     *
     * @throws IOException it can't be read.
     */
    public static String sha256(File file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error); // every Java has it
        }
        byte[] block = new byte[1 << 16];
        InputStream in = new FileInputStream(file);
        try {
            for (int count = in.read(block); count >= 0; count = in.read(block)) {
                digest.update(block, 0, count);
            }
        } finally {
            in.close();
        }
        StringBuilder hex = new StringBuilder();
        for (byte value : digest.digest()) {
            hex.append(Character.forDigit(value >> 4 & 15, 16));
            hex.append(Character.forDigit(value & 15, 16));
        }
        return hex.toString();
    }
}
