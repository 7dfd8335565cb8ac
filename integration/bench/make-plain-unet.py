#!/usr/bin/env python3
"""Makes plain-unet.onnx: the UNet of emoji-sd as PyTorch itself exports it, the baseline of `npm run bench -- unet`.

    python integration/bench/make-plain-unet.py [--processor default|plain]

Made with Python 3.11, torch 2.13.0+cpu, diffusers 0.29.2, onnx 1.23.2, safetensors 0.8.0. Not needed to run the bench.

`default` is diffusers' own choice (AttnProcessor2_0: scaled_dot_product_attention), `plain` its AttnProcessor (baddbmm,
softmax, bmm). The committed file is the one that onnxruntime runs faster (docs/performance.md).

The graph is the exporter's. Its values are renamed (the exporter's names are two thirds of the file), and its
initializers are replaced: a weight is read from the checkpoint's own safetensors
file (external data, fp16, then Cast to fp32; Transpose where the exporter had folded one), so that no weight is stored
twice. The runtime folds these nodes when it loads the model, as it does in Lethe's graphs.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy
import onnx
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
UNET = HERE.parent.parent / "checkpoint" / "emoji-sd" / "unet"
WEIGHTS = UNET / "diffusion_pytorch_model.safetensors"
TOKENS = 24


class Call(torch.nn.Module):
    """unet(sample, timestep, encoder_hidden_states).sample"""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states).sample


def export(processor, path):
    unet = UNet2DConditionModel.from_pretrained(UNET, torch_dtype=torch.float32).eval()
    if processor == "plain":
        unet.set_attn_processor(AttnProcessor())
    size, channels, width = unet.config.sample_size, unet.config.in_channels, unet.config.cross_attention_dim
    torch.onnx.export(
        Call(unet),
        (torch.randn(2, channels, size, size), torch.tensor([501.0]), torch.randn(2, TOKENS, width)),
        str(path),
        input_names=["sample", "timestep", "encoder_hidden_states"],
        output_names=["out_sample"],
        dynamic_axes={name: {0: "rows"} for name in ("sample", "encoder_hidden_states", "out_sample")},
        opset_version=17,
        dynamo=False,
    )
    return onnx.load(str(path)), {name: value.numpy() for name, value in unet.state_dict().items()}


def header_of(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return header, 8 + length


def reference(name, entry, base):
    """The tensor of that name in the safetensors file, as external data."""
    begin, end = entry["data_offsets"]
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT16, dims=entry["shape"])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", WEIGHTS.name), ("offset", base + begin), ("length", end - begin)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def without_weights(model, weights):
    """The model with every initializer that is a weight, or one transposed, replaced by a reference to it."""
    header, base = header_of(WEIGHTS)
    assert all(entry["dtype"] == "F16" for entry in header.values())
    by_bytes = {}
    for name, value in weights.items():
        by_bytes.setdefault((value.shape, value.tobytes()), (name, None))
        if value.ndim == 2:
            turned = numpy.ascontiguousarray(value.T)
            by_bytes.setdefault((turned.shape, turned.tobytes()), (name, [1, 0]))

    kept, references, nodes = [], {}, []
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        found = by_bytes.get((value.shape, value.tobytes())) if value.dtype == numpy.float32 and value.size > 1 else None
        if found is None:
            assert value.size < 1000, f"{tensor.name} {value.shape} is no weight of the checkpoint"
            kept.append(tensor)
            continue
        name, order = found
        references[name] = reference(name, header[name], base)
        cast = tensor.name if order is None else f"{tensor.name}/cast"
        nodes.append(helper.make_node("Cast", [name], [cast], to=TensorProto.FLOAT))
        if order is not None:
            nodes.append(helper.make_node("Transpose", [cast], [tensor.name], perm=order))
    # A weight must not have the name of the value that is made of it.
    for name, tensor in references.items():
        tensor.name = f"stored/{name}"
    for node in nodes:
        if node.op_type == "Cast":
            node.input[0] = f"stored/{node.input[0]}"

    graph = model.graph
    everything = nodes + list(graph.node)
    interface = {value.name for value in [*graph.input, *graph.output]}
    short = {}

    def rename(names):
        for i, name in enumerate(names):
            if name and name not in interface:
                names[i] = short.setdefault(name, f"v{len(short)}")

    for node in everything:
        node.name = node.doc_string = ""
        del node.metadata_props[:]
        rename(node.input)
        rename(node.output)
    for tensor in [*references.values(), *kept]:
        tensor.name = short[tensor.name]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(everything)
    graph.initializer.extend([*references.values(), *kept])
    return model


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--processor", choices=["default", "plain"], default="default")
    arguments.add_argument("--out", type=Path, default=HERE / "plain-unet.onnx")
    asked = arguments.parse_args()
    model, weights = export(asked.processor, asked.out)
    asked.out.write_bytes(without_weights(model, weights).SerializeToString())
    print(f"{asked.out}: {asked.out.stat().st_size} bytes, {len(model.graph.node)} nodes")


if __name__ == "__main__":
    main()
