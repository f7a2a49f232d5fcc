"""Builds an ONNX graph from the weights of a BERT-shaped sentence encoder.

The layers are those of Devlin et al., "BERT" (2019): post-norm blocks of self-attention and a GELU
network; the pooling is that of Reimers and Gurevych, "Sentence-BERT" (2019): the mean over the
tokens that are not padding, scaled to unit length.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Weights = Mapping[str, npt.NDArray[np.float32]]

# The first opset with GELU; the IR version is the one that came with it.
OPSET = 20
IR_VERSION = 9
NORM_EPSILON = 1e-12
MASKED = np.float32(-1e9)


def build_graph(weights: Weights, heads: int) -> ModelProto:
    """Return the graph: `input_ids`, `attention_mask` (batch, length) int64 to `embedding`.

    weights: under their names in the model hub's files; a pooler's are ignored.
    embedding: (batch, hidden) float32, unit length.
    """
    return _BertGraph(weights, heads).model()


class _BertGraph:
    def __init__(self, weights: Weights, heads: int) -> None:
        self._weights = weights
        self._heads = heads
        self._hidden = weights["embeddings.word_embeddings.weight"].shape[1]
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def model(self) -> ModelProto:
        mask = self._node("Cast", "attention_mask", to=TensorProto.FLOAT)
        bias = self._attention_bias(mask)
        tokens = self._embedded()
        layer = 0
        while f"encoder.layer.{layer}.output.dense.weight" in self._weights:
            tokens = self._block(tokens, bias, f"encoder.layer.{layer}.")
            layer += 1
        self._pool(tokens, mask)
        graph = helper.make_graph(
            self._nodes,
            "sentence_encoder",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
                for name in ("input_ids", "attention_mask")
            ],
            [
                helper.make_tensor_value_info(
                    "embedding", TensorProto.FLOAT, ["batch", self._hidden]
                )
            ],
            self._constants,
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)

    def _embedded(self) -> str:
        # All tokens are of the first segment, so its embedding is part of the position's.
        places = (
            self._weights["embeddings.position_embeddings.weight"]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        length = self._node("Gather", self._node("Shape", "input_ids"), self._integers(1))
        place = self._node(
            "Slice", self._constant(places), self._integers(0), length, self._integers(0)
        )
        word = self._node("Gather", self._weight("embeddings.word_embeddings.weight"), "input_ids")
        return self._norm(self._node("Add", word, place), "embeddings.LayerNorm")

    def _attention_bias(self, mask: str) -> str:
        padding = self._node("Sub", self._constant(np.float32(1)), mask)
        bias = self._node("Mul", padding, self._constant(MASKED))
        return self._node("Unsqueeze", bias, self._integers(1, 2))

    def _block(self, tokens: str, bias: str, prefix: str) -> str:
        attended = self._linear(
            self._attention(tokens, bias, prefix + "attention.self."),
            prefix + "attention.output.dense",
        )
        tokens = self._norm(
            self._node("Add", tokens, attended), prefix + "attention.output.LayerNorm"
        )
        inner = self._node("Gelu", self._linear(tokens, prefix + "intermediate.dense"))
        outer = self._linear(inner, prefix + "output.dense")
        return self._norm(self._node("Add", tokens, outer), prefix + "output.LayerNorm")

    def _attention(self, tokens: str, bias: str, prefix: str) -> str:
        query = self._split(self._linear(tokens, prefix + "query"), [0, 2, 1, 3])
        key = self._split(self._linear(tokens, prefix + "key"), [0, 2, 3, 1])
        value = self._split(self._linear(tokens, prefix + "value"), [0, 2, 1, 3])
        scale = self._constant(np.float32((self._hidden // self._heads) ** -0.5))
        scores = self._node("Mul", self._node("MatMul", query, key), scale)
        weights = self._node("Softmax", self._node("Add", scores, bias), axis=-1)
        mixed = self._node("Transpose", self._node("MatMul", weights, value), perm=[0, 2, 1, 3])
        return self._node("Reshape", mixed, self._integers(0, 0, self._hidden))

    def _split(self, tokens: str, order: list[int]) -> str:
        shape = self._integers(0, 0, self._heads, self._hidden // self._heads)
        return self._node("Transpose", self._node("Reshape", tokens, shape), perm=order)

    def _pool(self, tokens: str, mask: str) -> None:
        weight = self._node("Unsqueeze", mask, self._integers(2))
        axis = self._integers(1)
        total = self._node("ReduceSum", self._node("Mul", tokens, weight), axis, keepdims=0)
        count = self._node("ReduceSum", weight, axis, keepdims=0)
        mean = self._node("Div", total, count)
        self._nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=-1, p=2))

    def _linear(self, tokens: str, name: str) -> str:
        kernel = self._constant(self._weights[name + ".weight"].T)
        return self._node("Add", self._node("MatMul", tokens, kernel), self._weight(name + ".bias"))

    def _norm(self, tokens: str, name: str) -> str:
        return self._node(
            "LayerNormalization",
            tokens,
            self._weight(name + ".weight"),
            self._weight(name + ".bias"),
            axis=-1,
            epsilon=NORM_EPSILON,
        )

    def _weight(self, name: str) -> str:
        return self._constant(self._weights[name])

    def _integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _constant(self, value: npt.NDArray[np.float32] | npt.NDArray[np.int64] | np.float32) -> str:
        name = f"constant_{len(self._constants)}"
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def _node(self, kind: str, *inputs: str, **attributes: int | float | list[int]) -> str:
        name = f"{kind}_{len(self._nodes)}"
        node = helper.make_node(kind, list(inputs), [name])
        node.attribute.extend(helper.make_attribute(key, attributes[key]) for key in attributes)
        self._nodes.append(node)
        return name
