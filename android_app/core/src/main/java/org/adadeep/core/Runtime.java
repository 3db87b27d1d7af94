package org.adadeep.core;

/** What loads a .tflite; tests give another one. */
public interface Runtime {
    /** "tensorflow-lite". */
    String name();

    /** Of it. */
    String version();

    /**
     * Reads a model; its tensors are not yet allocated.
     *
     * @throws RuntimeException the runtime's own: it can't.
     * @throws OutOfMemoryError there is no room for it.
     */
    Network load(String path, int threads);
}
