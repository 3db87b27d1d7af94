package org.adadeep.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A model that a runtime has loaded, ready to run. */
final class LoadedModel {
    private static final String[] NO_OPERATOR = {
        "unresolved", "didn't find op", "custom op", "flex",
    };

    private final Network network;
    private final List<Message> fed = new ArrayList<Message>();
    private byte[][] values = {};

    /** From the file to tensors allocated. */
    final long loadNs;

    private LoadedModel(Network network, long loadNs) {
        this.network = network;
        this.loadNs = loadNs;
    }

    /**
     * Loads one.
     *
     * @param settings of the request.
     * @throws WireError `model_corrupt`, `unsupported_op`, `out_of_memory`, `open_shape` or
     *     `bad_input`.
     */
    static LoadedModel load(Runtime runtime, String path, Message settings, Clocks clocks) {
        List<?> shapes = settings.list("input_shapes");
        Network network = null;
        boolean isReady = false;
        boolean isShaped = false;
        try {
            long began = clocks.now();
            network = runtime.load(path, settings.whole("threads"));
            isShaped = settle(network, shapes);
            network.allocate();
            long loadNs = clocks.now() - began;
            network.allocated();
            isReady = true;
            return new LoadedModel(network, loadNs);
        } catch (WireError error) {
            throw error;
        } catch (RuntimeException error) {
            if (isShaped) {
                throw WireError.badInput("the model can't be run with these input shapes: "
                        + Text.brief(error));
            }
            throw loadError(error);
        } catch (OutOfMemoryError error) {
            throw new WireError(ErrorCode.OUT_OF_MEMORY,
                    "not enough memory for the model: " + Text.brief(error));
        } finally {
            if (network != null && !isReady) {
                network.close();
            }
        }
    }

    /** Gives the inputs their shapes; whether the host asked for one. */
    private static boolean settle(Network network, List<?> shapes) {
        Port[] inputs = network.inputs();
        Inputs.checkNames(inputs, shapes);
        for (int i = 0; i < inputs.length; i++) {
            int[] shape = Inputs.settledShape(inputs[i], shapes, inputs.length == 1);
            Inputs.requireFeedable(inputs[i], shape);
            if (!Arrays.equals(shape, inputs[i].shape)) {
                network.resize(i, shape);
            }
        }
        return !shapes.isEmpty();
    }

    private static WireError loadError(RuntimeException error) {
        String text = Text.brief(error);
        String lower = text.toLowerCase(Locale.ROOT);
        for (String sign : NO_OPERATOR) {
            if (lower.contains(sign)) {
                return new WireError(ErrorCode.UNSUPPORTED_OP,
                        "the runtime lacks an operator: " + text);
            }
        }
        return new WireError(ErrorCode.MODEL_CORRUPT,
                "the runtime can't load the model: " + text);
    }

    /** What a run that failed is to the host. */
    static WireError runError(RuntimeException error) {
        return new WireError(ErrorCode.RUN_FAILED,
                "the model was loaded but can't be run: " + Text.brief(error));
    }

    /** As {@link #runError(RuntimeException)}. */
    static WireError runError(OutOfMemoryError error) {
        return new WireError(ErrorCode.OUT_OF_MEMORY,
                "not enough memory to run the model: " + Text.brief(error));
    }

    /**
     * Sets the inputs from tensors of a message; without any, from a fixed random stream.
     *
     * @param tensors one for each input, or null.
     * @param ranges [name or null, low, high] for values that are not given.
     * @param source of the tensors, for the result.
     * @throws WireError wrong number, name, shape, type or range.
     */
    void setInputs(List<?> tensors, List<?> ranges, String source) {
        Port[] inputs = network.inputs();
        if (tensors != null && tensors.size() != inputs.length) {
            throw WireError.badInput(
                    "the model has " + inputs.length + " inputs, not " + tensors.size());
        }
        Inputs.checkNames(inputs, ranges);
        fed.clear();
        byte[][] all = new byte[inputs.length][];
        Order random = new Order(0);
        for (int i = 0; i < inputs.length; i++) {
            Inputs.Values made = tensors == null
                    ? Inputs.chosen(inputs[i], ranges, random)
                    : new Inputs.Values(Inputs.given(inputs[i], tensors.get(i)), source);
            put(i, made.data);
            all[i] = made.data;
            fed.add(Inputs.described(inputs[i], made.word));
        }
        values = all;
    }

    /** Sets the inputs as another model of the same file has them. */
    void setInputsOf(LoadedModel other) {
        fed.clear();
        fed.addAll(other.fed);
        values = other.values;
        for (int i = 0; i < values.length; i++) {
            put(i, values[i]);
        }
    }

    private void put(int input, byte[] data) {
        try {
            network.put(input, data);
        } catch (RuntimeException error) {
            throw runError(error);
        }
    }

    /** The inputs and what they were fed, for a result. */
    List<Message> inputs() {
        return new ArrayList<Message>(fed);
    }

    /** Runs it; throws what the network does. */
    void invoke() {
        network.invoke();
    }

    /**
     * The outputs of the last run, as tensors of a message.
     *
     * @throws WireError `run_failed`: they are of a type that the runtime does not give.
     */
    List<Message> outputs() {
        List<Message> tensors = new ArrayList<Message>();
        try {
            Port[] ports = network.outputs();
            for (int i = 0; i < ports.length; i++) {
                tensors.add(Tensors.encode(ports[i].dtype, ports[i].shape, network.output(i)));
            }
        } catch (RuntimeException error) {
            throw runError(error);
        }
        return tensors;
    }

    List<Message> delegates() {
        return network.delegates();
    }

    void close() {
        network.close();
    }
}
