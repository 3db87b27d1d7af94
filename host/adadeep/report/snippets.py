"""Programs that run a deployed .tflite as it was measured: in Python, Kotlin and Java."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

_ITEM_BYTES = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2, "int32": 4,
    "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8,
}  # fmt: skip
_NO_XNNPACK = "experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,"
MAVEN = "org.tensorflow:tensorflow-lite:2.16.1"


@dataclass(frozen=True, slots=True)
class End:
    """An input or output of a .tflite.

    Attributes:
        dtype: of its elements, as numpy names it.
        shape: with the batch of 1.
    """

    dtype: str
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Of one value."""
        return math.prod(self.shape) * _ITEM_BYTES[self.dtype]

    @property
    def text(self) -> str:
        """float32 [1, 28, 28, 1]."""
        return f"{self.dtype} {list(self.shape)}"


@dataclass(frozen=True, slots=True)
class AsMeasured:
    """A .tflite, and how it ran while it was measured.

    Attributes:
        file: its name.
        runtime: with its version.
        threads: of the runtime.
        uses_xnnpack: whether XNNPACK took a part of the graph.
        precision: of weights and activations between inputs and outputs.
        inputs: in the file's order.
        outputs: likewise.
    """

    file: str
    runtime: str
    threads: int
    uses_xnnpack: bool
    precision: str
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]

    @property
    def about(self) -> str:
        """One line of how it was measured."""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        xnnpack = "XNNPACK" if self.uses_xnnpack else "without XNNPACK"
        return f"{self.precision}, measured with {self.runtime}, {threads}, {xnnpack}"


def snippets(model: AsMeasured) -> dict[str, str]:
    """Programs by language: "python", "kotlin", "java"; each gives zeros for inputs."""
    return {"python": _python(model), "kotlin": _kotlin(model), "java": _java(model)}


def _python(model: AsMeasured) -> str:
    plain = "" if model.uses_xnnpack else ", OpResolverType"
    resolver = "" if model.uses_xnnpack else f"    {_NO_XNNPACK}\n"
    inputs = "".join(f"    np.zeros({end.shape}, np.{_numpy(end)}),\n" for end in model.inputs)
    return f"""# {model.about}
import numpy as np
from ai_edge_litert.interpreter import Interpreter{plain}  # pip install ai-edge-litert

interpreter = Interpreter(
    {json.dumps(model.file)}, num_threads={model.threads},
{resolver})
interpreter.allocate_tensors()
inputs = [  # your samples, as the network was trained on; never resize an input
{inputs}]
for end, value in zip(interpreter.get_input_details(), inputs):
    interpreter.set_tensor(end["index"], value)
interpreter.invoke()
outputs = [interpreter.get_tensor(end["index"]) for end in interpreter.get_output_details()]
print(*(f"{{output.dtype}} {{list(output.shape)}}" for output in outputs), sep="\\n")
"""


def _kotlin(model: AsMeasured) -> str:
    inputs = "".join(f"        buffer({end.size_bytes}),  // {end.text}\n" for end in model.inputs)
    outputs = "".join(
        f"        {number} to buffer({end.size_bytes}),  // {end.text}\n"
        for number, end in enumerate(model.outputs)
    )
    return f"""// {model.about}; implementation("{MAVEN}")
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Interpreter

fun buffer(bytes: Int): ByteBuffer =
    ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())

val options = Interpreter.Options().setNumThreads({model.threads}).setUseXNNPACK({_flag(model)})
val interpreter = Interpreter(File({_quoted(model)}), options)  // keep it: loading takes longer

fun runBest(): Map<Int, Any> {{
    val inputs = arrayOf<Any>(  // your samples: buffer.asFloatBuffer().put(values)
{inputs}    )
    val outputs = mapOf<Int, Any>(
{outputs}    )
    interpreter.runForMultipleInputsOutputs(inputs, outputs)
    return outputs  // rewind() one before you read it
}}
"""


def _java(model: AsMeasured) -> str:
    inputs = "".join(f"        buffer({end.size_bytes}), // {end.text}\n" for end in model.inputs)
    outputs = "".join(
        f"      outputs.put({number}, buffer({end.size_bytes})); // {end.text}\n"
        for number, end in enumerate(model.outputs)
    )
    return f"""// {model.about}; implementation "{MAVEN}"
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.tensorflow.lite.Interpreter;

public class RunBest {{
  static ByteBuffer buffer(int bytes) {{
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }}

  public static void main(String[] arguments) {{
    Interpreter.Options options = new Interpreter.Options();
    options.setNumThreads({model.threads}).setUseXNNPACK({_flag(model)});
    try (Interpreter interpreter = new Interpreter(new File({_quoted(model)}), options)) {{
      Object[] inputs = {{ // your samples: buffer.asFloatBuffer().put(values)
{inputs}      }};
      Map<Integer, Object> outputs = new HashMap<>();
{outputs}      interpreter.runForMultipleInputsOutputs(inputs, outputs);
      System.out.println(outputs); // rewind() one before you read it
    }}
  }}
}}
"""


def _numpy(end: End) -> str:
    return "bool_" if end.dtype == "bool" else end.dtype


def _flag(model: AsMeasured) -> str:
    return "true" if model.uses_xnnpack else "false"


def _quoted(model: AsMeasured) -> str:
    """As both languages take it; a $ would begin an expression in Kotlin's."""
    return json.dumps(model.file).replace("$", "\\u0024")
