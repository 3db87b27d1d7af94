package org.adadeep.core;

import java.util.List;

/**
 * A network that a runtime has loaded. Its methods throw the runtime's own RuntimeException, or
 * OutOfMemoryError.
 */
public interface Network {
    /** The inputs as they are now. */
    Port[] inputs();

    /** Gives an input another shape; before `allocate`. */
    void resize(int input, int[] shape);

    /** Gets all tensors their memory; the runtime's delegates take their nodes. */
    void allocate();

    /** After `allocate`, outside of what is timed: for who wants to see who took which nodes. */
    void allocated();

    /** Sets an input: little-endian numbers in C order, as many as its shape has. */
    void put(int input, byte[] data);

    /** Runs it once. Allocates no Java object that lasts. */
    void invoke();

    /** The outputs as they are after a run. */
    Port[] outputs();

    /** The numbers of an output, little-endian, in C order. */
    byte[] output(int output);

    /** {name, nodes} of whoever runs nodes, as far as they were counted. */
    List<Message> delegates();

    /** Frees it. */
    void close();
}
