package org.adadeep.core;

/** Keeps the thread that runs the models, and those that it begins, on some cores. */
public interface Affinity {
    /**
     * Only on these cores from now on; null: wherever the thread might run at first.
     *
     * @param mask hexadecimal, bit N is core N.
     * @throws WireError `bad_core_mask`: refused, or granted only in part.
     */
    void pin(String mask);
}
