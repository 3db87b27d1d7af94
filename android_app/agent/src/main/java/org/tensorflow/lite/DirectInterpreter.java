package org.tensorflow.lite;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * TensorFlow Lite's own wrapper of an interpreter, without what `Interpreter.run` does around each
 * run: it copies the inputs in and the outputs out, and makes objects for that, which is garbage.
 *
 * <p>In this package because the wrapper is not public. What runs the interpreter is private: it is
 * reached by reflection, once for all runs.
 */
public final class DirectInterpreter {
    private final NativeInterpreterWrapper wrapper;
    private final Method run;
    private final Object[] handles;

    /**
     * Reads a model.
     *
     * @param path of the .tflite.
     * @throws RuntimeException TensorFlow Lite's own: it can't.
     */
    public DirectInterpreter(String path, int threads) {
        InterpreterImpl.Options options = new InterpreterImpl.Options();
        options.setNumThreads(threads);
        wrapper = new NativeInterpreterWrapper(path, options);
        handles = new Object[] {wrapper.interpreterHandle, wrapper.errorHandle};
        try {
            run = NativeInterpreterWrapper.class.getDeclaredMethod("run", long.class, long.class);
            run.setAccessible(true);
        } catch (NoSuchMethodException error) {
            throw new IllegalStateException("it was built with another TensorFlow Lite", error);
        }
    }

    /** Runs it once; makes no object. */
    public void run() {
        try {
            run.invoke(null, handles);
        } catch (InvocationTargetException error) {
            if (error.getCause() instanceof RuntimeException) {
                throw (RuntimeException) error.getCause();
            }
            if (error.getCause() instanceof Error) {
                throw (Error) error.getCause();
            }
            throw new IllegalStateException(error.getCause());
        } catch (IllegalAccessException error) {
            throw new IllegalStateException(error);
        }
    }

    public int inputs() {
        return wrapper.getInputTensorCount();
    }

    /** @throws IllegalArgumentException its numbers are of a type that Java does not know. */
    public Tensor input(int number) {
        return wrapper.getInputTensor(number);
    }

    /** Before {@link #allocate}. */
    public void resize(int input, int[] shape) {
        wrapper.resizeInput(input, shape);
    }

    public void allocate() {
        wrapper.allocateTensors();
    }

    /** Sets an input; the data are in the byte order of this machine, which is little-endian. */
    public void set(int input, byte[] data) {
        ByteBuffer buffer = ByteBuffer.wrap(data).order(ByteOrder.nativeOrder());
        wrapper.getInputTensor(input).setTo(buffer);
    }

    public int outputs() {
        return wrapper.getOutputTensorCount();
    }

    /** An output as it is after a run, which may have changed its shape. */
    public Tensor output(int number) {
        TensorImpl tensor = wrapper.getOutputTensor(number);
        tensor.refreshShape();
        return tensor;
    }

    /** Nodes that are run; those that a delegate took are one. */
    public int planLength() {
        return wrapper.getExecutionPlanLength();
    }

    public void close() {
        wrapper.close();
    }
}
