package org.adadeep.agent;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import org.adadeep.core.ErrorCode;
import org.adadeep.core.Message;
import org.adadeep.core.Network;
import org.adadeep.core.Port;
import org.adadeep.core.WireError;
import org.tensorflow.lite.DirectInterpreter;
import org.tensorflow.lite.Tensor;

/** A network that TensorFlow Lite has loaded. */
final class TensorFlowLiteNetwork implements Network {
    private final DirectInterpreter interpreter;
    private final DelegateLog log;
    private final long loggedBefore;
    private long loggedAfter;

    /** @param loggedBefore where the log ended before the model was loaded. */
    TensorFlowLiteNetwork(DirectInterpreter interpreter, DelegateLog log, long loggedBefore) {
        this.interpreter = interpreter;
        this.log = log;
        this.loggedBefore = loggedBefore;
    }

    private static Port port(Tensor tensor) {
        return new Port(
                tensor.name(),
                tensor.dataType().name().toLowerCase(Locale.ROOT),
                tensor.shape(),
                tensor.shapeSignature(),
                tensor.quantizationParams().getScale() != 0);
    }

    @Override
    public Port[] inputs() {
        Port[] ports = new Port[interpreter.inputs()];
        for (int i = 0; i < ports.length; i++) {
            try {
                ports[i] = port(interpreter.input(i));
            } catch (IllegalArgumentException error) {
                throw new WireError(ErrorCode.BAD_INPUT, "input " + i + " of the model can't be"
                        + " fed: " + error.getMessage());
            }
        }
        return ports;
    }

    @Override
    public void resize(int input, int[] shape) {
        interpreter.resize(input, shape);
    }

    @Override
    public void allocate() {
        interpreter.allocate();
    }

    @Override
    public void allocated() {
        loggedAfter = log.end();
    }

    @Override
    public void put(int input, byte[] data) {
        interpreter.set(input, data);
    }

    @Override
    public void invoke() {
        interpreter.run();
    }

    @Override
    public Port[] outputs() {
        Port[] ports = new Port[interpreter.outputs()];
        for (int i = 0; i < ports.length; i++) {
            ports[i] = port(interpreter.output(i));
        }
        return ports;
    }

    @Override
    public byte[] output(int output) {
        Tensor tensor = interpreter.output(output);
        byte[] data = new byte[tensor.numBytes()];
        if (data.length > 0) {
            ByteBuffer buffer = tensor.asReadOnlyBuffer();
            buffer.rewind();
            buffer.get(data);
        }
        return data;
    }

    @Override
    public List<Message> delegates() {
        return log.between(loggedBefore, loggedAfter, interpreter.planLength());
    }

    @Override
    public void close() {
        interpreter.close();
    }
}
