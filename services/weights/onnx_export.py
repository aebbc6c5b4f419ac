"""Export the small perception models to ONNX, so that inference needs neither torch nor TensorFlow.

Each function reads the files as their packages carry them, once, when the weights are fetched.
"""

import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.weights.tensor_bundle import read_tensor_bundle

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto, ValueInfoProto

Array: TypeAlias = NDArray[Any]

_OPSET = 20
_IR_VERSION = 10  # the newest that onnxruntime 1.20 reads
NORMALISATION = ("gamma", "beta", "moving_mean", "moving_variance")
"""Tensors of a batch normalisation, in the order of ONNX."""
TENSORFLOW_EPSILON = 1e-3
_STEPS_OF_8_BITS = ("QuantizeLinear", "DequantizeLinear")


def export_yamnet(source: Path, target: Path) -> None:
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
            node.input[index] = _trace_back(name, origin)
    pool, classifier = nodes[-3], nodes[-1]
    nodes[-2] = helper.make_node("Flatten", [pool.output[0]], ["embedding"])
    classifier.input[0], classifier.output[0] = "embedding", "logits"
    used = dict.fromkeys(name for node in nodes for name in node.input if name in weights)
    _save_graph(
        target / "yamnet.onnx",
        nodes,
        [numpy_helper.from_array(numpy_helper.to_array(weights[name]), name) for name in used],
        inputs=[_describe_floats("audio", 1, 96, 64)],
        outputs=[_describe_floats("logits", 521), _describe_floats("embedding", 1024)],
    )
    shutil.copyfile(source / "yamnet_class_map.csv", target / "yamnet_class_map.csv")


def export_ina(source: Path, target: Path) -> None:
    """Write the Keras networks of inaSpeechSegmenter as `male_female.onnx` and `speech_music_noise.onnx`."""
    for name, num_mels, classes in (("male_female", 24, 2), ("speech_music_noise", 21, 3)):
        _export_keras(source / f"{name}.hdf5", target / f"{name}.onnx", num_mels=num_mels, num_classes=classes)


def export_resemblyzer(source: Path, target: Path) -> None:
    """Write the GE2E speaker encoder as `voice.onnx`: mel frames in, an embedding of length 1 out.

    torch keeps the gates of an LSTM in the order input, forget, cell, output; ONNX input, output, forget, cell.
    """
    import torch
    from onnx import helper

    state = torch.load(source / "pretrained.pt", map_location="cpu", weights_only=True)["model_state"]
    tensors = {name: value.float().numpy() for name, value in state.items()}
    network = _Network("mels")
    network.add("Transpose", perm=[1, 0, 2])
    for layer in range(3):
        kernels = [_reorder_gates(tensors[f"lstm.weight_{kind}_l{layer}"]) for kind in ("ih", "hh")]
        biases = [_reorder_gates(tensors[f"lstm.bias_{kind}_l{layer}"]) for kind in ("ih", "hh")]
        network.add("LSTM", kernels[0][None], kernels[1][None], np.concatenate(biases)[None], hidden_size=256)
        if layer < 2:
            network.add("Squeeze", np.array([1], np.int64))
    network.nodes[-1].output.append("final_hidden")
    network.nodes.append(helper.make_node("Squeeze", ["final_hidden", network.add_weight(np.array([0]))], ["last"]))
    network.end = "last"
    network.add("Gemm", tensors["linear.weight"], tensors["linear.bias"], transB=1)
    network.add("Relu")
    network.add("LpNormalization", axis=1, p=2)
    network.save(target / "voice.onnx", _describe_floats("mels", "frames", 40), _describe_floats("embedding", 256))


def export_musicnn(source: Path, target: Path) -> None:
    """Write the TensorFlow networks of musicnn as `msd.onnx` and `mtt.onnx`: log-mel patches in, logits of tags out.

    Its layers: Pons & Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging",
    arXiv:1909.06654.
    """
    for name in ("msd", "mtt"):
        tensors = read_tensor_bundle(source / f"{name}.index", source / f"{name}.data")
        network = _Network("patches")
        network.add("Unsqueeze", np.array([1]))
        _add_normalisation(network, tensors, 0)
        spectrogram = network.end
        heard = [_add_musical_filters(network, tensors, number, spectrogram) for number in range(5)]
        _join(network, heard)
        layers = [network.end, *_add_middle_layers(network, tensors)]
        _join(network, layers)
        _add_pooled_classifier(network, tensors)
        patches, logits = _describe_floats("patches", "frames", 96), _describe_floats("logits", 50)
        network.save(target / f"{name}.onnx", patches, logits)


def _add_musical_filters(network: "_Network", tensors: Mapping[str, Array], number: int, start: str) -> str:
    """Add filters over frequency (the first two) or over time, and their maximum over frequency; return its name."""
    kernel = tensors[_name_layer("conv2d", number, "kernel")]
    length = kernel.shape[0]
    network.end = start
    bias = tensors[_name_layer("conv2d", number, "bias")]
    network.add("Conv", kernel.transpose(3, 2, 0, 1), bias, pads=[(length - 1) // 2, 0, length // 2, 0])
    network.add("Relu")
    _add_normalisation(network, tensors, number + 1)
    network.add("ReduceMax", np.array([3]), keepdims=0)
    return network.end


def _add_middle_layers(network: "_Network", tensors: Mapping[str, Array]) -> list[str]:
    """Add three convolutions over time, the last two with residual connections; return their names."""
    ends: list[str] = []
    for number in (5, 6, 7):
        kernel, bias = (tensors[_name_layer("conv2d", number, part)] for part in ("kernel", "bias"))
        network.add("Conv", kernel[:, :, 0].transpose(2, 1, 0), bias, pads=[3, 3])
        network.add("Relu")
        _add_normalisation(network, tensors, number + 1)
        if ends:
            network.join("Add", [network.end, ends[-1]])
        ends.append(network.end)
    return ends


def _add_pooled_classifier(network: "_Network", tensors: Mapping[str, Array]) -> None:
    """Add maximum and mean over time and two dense layers; the checkpoint has both of each channel side by side."""
    channels = network.end
    network.add("ReduceMax", np.array([2]), keepdims=0)
    highest, network.end = network.end, channels
    network.add("ReduceMean", np.array([2]), keepdims=0)
    _join(network, [highest, network.end])
    names = [_name_layer("batch_normalization", 9, part) for part in NORMALISATION]
    network.add("BatchNormalization", *(_split_pairs(tensors[name]) for name in names), epsilon=TENSORFLOW_EPSILON)
    network.add("Gemm", _split_pairs(tensors["dense/kernel"]), tensors["dense/bias"])
    network.add("Relu")
    _add_normalisation(network, tensors, 10)
    network.add("Gemm", tensors["dense_1/kernel"], tensors["dense_1/bias"])


def _split_pairs(tensor: Array) -> Array:
    return np.concatenate([tensor[0::2], tensor[1::2]])


def _join(network: "_Network", ends: Sequence[str]) -> None:
    network.join("Concat", ends, axis=1)


def _add_normalisation(network: "_Network", tensors: Mapping[str, Array], number: int) -> None:
    names = [_name_layer("batch_normalization", number, part) for part in NORMALISATION]
    network.add("BatchNormalization", *(tensors[name] for name in names), epsilon=TENSORFLOW_EPSILON)


def _name_layer(kind: str, number: int, part: str) -> str:
    """Return the name of a tensor as TensorFlow 1 numbers layers: the first one has no number."""
    return f"{kind}_{number}/{part}" if number else f"{kind}/{part}"


def _reorder_gates(tensor: Array) -> Array:
    into, forget, cell, out = np.split(tensor, 4)
    return np.concatenate([into, out, forget, cell])


def _export_keras(path: Path, target: Path, *, num_mels: int, num_classes: int) -> None:
    import h5py

    network = _Network("patches")
    with h5py.File(path) as file:
        for layer in json.loads(file.attrs["model_config"])["config"]["layers"]:
            group = file["model_weights"][layer["config"]["name"]]
            tensors = [np.asarray(group[name], np.float32) for name in group.attrs["weight_names"]]
            _add_keras_layer(network, layer["class_name"], layer["config"], tensors)
    network.save(target, _describe_floats("patches", 1, 68, num_mels), _describe_floats("probabilities", num_classes))


def _add_keras_layer(network: "_Network", kind: str, config: dict[str, Any], tensors: list[Array]) -> None:
    if kind == "Conv2D":
        network.add("Conv", tensors[0].transpose(3, 2, 0, 1), tensors[1])
    elif kind == "BatchNormalization":
        network.add("BatchNormalization", *tensors, epsilon=config["epsilon"])
    elif kind == "Activation":
        network.add("Relu")
    elif kind == "MaxPooling2D":
        padding = "SAME_UPPER" if config["padding"] == "same" else "VALID"
        network.add("MaxPool", kernel_shape=config["pool_size"], strides=config["strides"], auto_pad=padding)
    elif kind == "Flatten":
        network.add("Flatten")
    elif kind == "Dense":
        network.add("Gemm", *tensors)
        if config["activation"] == "softmax":
            network.add("Softmax", axis=1)
    else:
        assert kind in ("Reshape", "Dropout"), kind


class _Network:
    """ONNX nodes in the making: each is added behind `end`, which may be set back to begin a branch."""

    def __init__(self, start: str) -> None:
        self.end = start
        self.nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []

    def add(self, kind: str, *tensors: Array, **attributes: Any) -> None:  # noqa: ANN401 - ints, floats, lists
        """Append a node that reads the last one's output and these weights."""
        from onnx import helper

        output = f"{kind}_{len(self.nodes)}"
        inputs = [self.end, *(self.add_weight(tensor) for tensor in tensors)]
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        self.end = output

    def join(self, kind: str, ends: Sequence[str], **attributes: Any) -> None:  # noqa: ANN401 - ints, floats, lists
        """Append a node that reads the outputs of several."""
        from onnx import helper

        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(ends), [output], **attributes))
        self.end = output

    def add_weight(self, tensor: Array) -> str:
        """Keep a weight and return its name."""
        from onnx import numpy_helper

        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(tensor), name))
        return name

    def save(self, path: Path, taken: "ValueInfoProto", given: "ValueInfoProto") -> None:
        """Write the graph with its one input and one output."""
        self.nodes[-1].output[0] = given.name
        _save_graph(path, self.nodes, self._weights, inputs=[taken], outputs=[given])


def _trace_back(name: str, origin: dict[str, str]) -> str:
    while name in origin:
        name = origin[name]
    return name


def _describe_floats(name: str, *shape: int | str) -> "ValueInfoProto":
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])


def _save_graph(
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
