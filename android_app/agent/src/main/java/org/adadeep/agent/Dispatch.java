package org.adadeep.agent;

import java.util.Arrays;
import org.adadeep.core.Message;
import org.adadeep.core.Json;
import org.adadeep.core.Network;
import org.tensorflow.lite.Interpreter;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * What Java takes beside the interpreter: runs of a model as the agent times them, in turn with
 * runs by TensorFlow Lite's public method, which tells what the interpreter alone took.
 */
final class Dispatch {
    private Dispatch() {}

    /** Prints medians in ns, as JSON. */
    static int run(String model, int runs) {
        Network network = new TensorFlowLiteRuntime().load(model, 1);
        network.allocate();
        Interpreter open = new Interpreter(new File(model));
        open.allocateTensors();
        Object[] inputs = new Object[open.getInputTensorCount()];
        for (int i = 0; i < inputs.length; i++) {
            byte[] zeros = new byte[open.getInputTensor(i).numBytes()];
            network.put(i, zeros);
            inputs[i] = ByteBuffer.allocateDirect(zeros.length);
        }
        Map<Integer, Object> outputs = new HashMap<Integer, Object>();
        long[] ours = new long[runs];
        long[] whole = new long[runs];
        long[] inner = new long[runs];
        for (int i = 0; i < runs; i++) {
            long began = System.nanoTime();
            network.invoke();
            ours[i] = System.nanoTime() - began;
            began = System.nanoTime();
            open.runForMultipleInputsOutputs(inputs, outputs);
            whole[i] = System.nanoTime() - began;
            inner[i] = open.getLastNativeInferenceDurationNanoseconds();
        }
        System.out.println(Json.encode(new Message()
                .with("agent_ns", median(ours))
                .with("public_ns", median(whole))
                .with("interpreter_ns", median(inner))));
        return 0;
    }

    private static long median(long[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }
}
