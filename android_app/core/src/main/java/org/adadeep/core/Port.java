package org.adadeep.core;

/** An input or output of a network, as a runtime knows it. */
public final class Port {
    /** Foreign text. */
    public final String name;

    /** As numpy calls it: "float32"; whatever else for what is no number. */
    public final String dtype;

    /** Sizes, as they are now. */
    public final int[] shape;

    /** Sizes, -1 where the model leaves one open. */
    public final int[] signature;

    /** Whether its whole numbers stand for others: quantised data. */
    public final boolean hasScale;

    public Port(String name, String dtype, int[] shape, int[] signature, boolean hasScale) {
        this.name = name;
        this.dtype = dtype;
        this.shape = shape;
        this.signature = signature;
        this.hasScale = hasScale;
    }
}
