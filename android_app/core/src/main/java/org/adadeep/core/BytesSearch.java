package org.adadeep.core;

/** Looks for bytes in bytes. */
final class BytesSearch {
    private BytesSearch() {}

    static boolean contains(byte[] data, byte[] wanted) {
        for (int begin = 0; begin + wanted.length <= data.length; begin++) {
            int same = 0;
            while (same < wanted.length && data[begin + same] == wanted[same]) {
                same++;
            }
            if (same == wanted.length) {
                return true;
            }
        }
        return false;
    }
}
