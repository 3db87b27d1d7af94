package org.adadeep.core;

/** A stream of orders: SplitMix64 and the shuffle of Fisher and Yates. */
public final class Order {
    private long state;

    public Order(long seed) {
        state = seed;
    }

    /** The next number of the stream: 64 bits, to be read as unsigned. */
    public long draw() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    /** The next number modulo a positive one. */
    int below(int count) {
        long z = draw();
        // Long.remainderUnsigned is Android 8's. Half of z is positive, and z = 2 (z/2) + last bit.
        return (int) (((z >>> 1) % count * 2 + (z & 1)) % count);
    }

    /** The next number as a fraction, 0 or more and less than 1. */
    double fraction() {
        return (draw() >>> 11) * 0x1p-53;
    }

    /** 0 to count - 1 in the next order; takes count - 1 numbers of the stream. */
    public int[] shuffled(int count) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            order[i] = i;
        }
        for (int last = count - 1; last > 0; last--) {
            int other = below(last + 1);
            int kept = order[last];
            order[last] = order[other];
            order[other] = kept;
        }
        return order;
    }
}
