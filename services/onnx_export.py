"""Write the small perception models as ONNX, so that hearing needs neither torch nor TensorFlow.

Each function reads the files as their packages carry them, once, when the weights are fetched.
"""

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto, ValueInfoProto

_OPSET = 20
_IR_VERSION = 10  # the newest that onnxruntime 1.20 reads
_STEPS_OF_8_BITS = ("QuantizeLinear", "DequantizeLinear")


def yamnet(source: Path, target: Path) -> None:
    """Write `yamnet.onnx`: float32, any number of patches, logits and embedding.

    The export in `source` computes in 8 bits, and its scores move in steps of 0.76 logits, so that most of a ranking
    is ties; but it still holds the float weights. Dropping the 8-bit steps between the layers brings back the model.
    """
    import onnx
    from onnx import helper, numpy_helper

    with zipfile.ZipFile(source / "yamnet.onnx.zip") as archive:
        archive.extractall(source)
    (path,) = source.rglob("model.onnx")
    quantised = onnx.load(path).graph
    weights = {tensor.name: tensor for tensor in quantised.initializer}
    origin = {node.output[0]: node.input[0] for node in quantised.node if node.op_type in _STEPS_OF_8_BITS}
    nodes = [node for node in quantised.node if node.op_type not in _STEPS_OF_8_BITS]
    for node in nodes:
        for index, name in enumerate(node.input):
            node.input[index] = _followed(name, origin)
    pool, classifier = nodes[-3], nodes[-1]
    nodes[-2] = helper.make_node("Flatten", [pool.output[0]], ["embedding"])
    classifier.input[0], classifier.output[0] = "embedding", "logits"
    used = dict.fromkeys(name for node in nodes for name in node.input if name in weights)
    _save(
        target / "yamnet.onnx",
        nodes,
        [numpy_helper.from_array(numpy_helper.to_array(weights[name]), name) for name in used],
        inputs=[_floats("audio", 1, 96, 64)],
        outputs=[_floats("logits", 521), _floats("embedding", 1024)],
    )
    shutil.copyfile(source / "yamnet_class_map.csv", target / "yamnet_class_map.csv")


def _followed(name: str, origin: dict[str, str]) -> str:
    while name in origin:
        name = origin[name]
    return name


def _floats(name: str, *shape: int) -> "ValueInfoProto":
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])


def _save(
    path: Path,
    nodes: "list[NodeProto]",
    weights: "list[TensorProto]",
    *,
    inputs: "list[ValueInfoProto]",
    outputs: "list[ValueInfoProto]",
) -> None:
    import onnx
    from onnx import helper

    graph = helper.make_graph(nodes, path.stem, inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    onnx.save(model, path)
