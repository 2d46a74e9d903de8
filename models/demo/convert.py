"""Writes the trained weights as a GGUF file (Q8_0 matrices, F32 norms), with the tokenizer and the chat template inside.

    python convert.py DIR/model.safetensors aula-demo.gguf
    python convert.py --check aula-demo.gguf            lists the tensors
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

from train import CONFIG, HERE, LAYERS, SPECIALS

NAMES = {
    "input_layernorm.weight": "attn_norm.weight", "self_attn.q_proj.weight": "attn_q.weight", "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight", "self_attn.o_proj.weight": "attn_output.weight", "self_attn.q_norm.weight": "attn_q_norm.weight",
    "self_attn.k_norm.weight": "attn_k_norm.weight", "post_attention_layernorm.weight": "post_attention_norm.weight",
    "pre_feedforward_layernorm.weight": "ffn_norm.weight", "mlp.gate_proj.weight": "ffn_gate.weight", "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight", "post_feedforward_layernorm.weight": "post_ffw_norm.weight", "per_layer_input_gate.weight": "inp_gate.weight",
    "per_layer_projection.weight": "proj.weight", "post_per_layer_input_norm.weight": "post_norm.weight", "layer_scalar": "layer_output_scale.weight",
}
TOP = {"embed_tokens.weight": "token_embd.weight", "embed_tokens_per_layer.weight": "per_layer_token_embd.weight",
       "per_layer_model_projection.weight": "per_layer_model_proj.weight", "per_layer_projection_norm.weight": "per_layer_proj_norm.weight", "norm.weight": "output_norm.weight"}


def gguf_name(name):
    """The GGUF name of a tensor of transformers' Gemma4ForCausalLM."""
    name = name.removeprefix("model.")
    if name in TOP:
        return TOP[name]
    _, layer, rest = name.split(".", 2)
    return f"blk.{layer}.{NAMES[rest]}"


def write(source, target):
    weights = {gguf_name(k): v for k, v in load_file(source).items()}
    w = gguf.GGUFWriter(target, "gemma4")
    c = CONFIG
    first_shared = c["num_hidden_layers"] - c["num_kv_shared_layers"]
    sliding = [t == "sliding_attention" for t in LAYERS]
    w.add_type("model")
    w.add_name("Aula demo")
    w.add_description("A tiny tutor that shows the app and knows little. Trained from scratch on generated text.")
    w.add_license("MIT OR Apache-2.0")
    w.add_languages(["es", "en", "pt"])
    w.add_size_label(f"{sum(v.size for v in weights.values()) / 1e6:.1f}M")
    w.add_bool("aula.demo", True)
    w.add_int32("general.sampling.top_k", 64)
    w.add_float32("general.sampling.top_p", 0.95)
    w.add_float32("general.sampling.temp", 1.0)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    w.add_block_count(c["num_hidden_layers"])
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_feed_forward_length([c["intermediate_size"] * (2 if i >= first_shared else 1) for i in range(c["num_hidden_layers"])])
    w.add_head_count(c["num_attention_heads"])
    w.add_head_count_kv(c["num_key_value_heads"])
    w.add_rope_freq_base(1e6)
    w.add_float32("gemma4.rope.freq_base_swa", 1e4)
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    for key in ("key_length", "value_length"):
        w.add_uint32(f"gemma4.attention.{key}", c["global_head_dim"])
        w.add_uint32(f"gemma4.attention.{key}_swa", c["head_dim"])
    w.add_float32("gemma4.final_logit_softcapping", c["final_logit_softcapping"])
    w.add_uint32("gemma4.attention.sliding_window", c["sliding_window"])
    w.add_array("gemma4.attention.sliding_window_pattern", sliding)
    w.add_uint32("gemma4.attention.shared_kv_layers", c["num_kv_shared_layers"])
    w.add_uint32("gemma4.embedding_length_per_layer_input", c["hidden_size_per_layer_input"])
    w.add_uint32("gemma4.rope.dimension_count", c["global_head_dim"])
    w.add_uint32("gemma4.rope.dimension_count_swa", c["head_dim"])

    model = json.loads((HERE / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    tokens = [t for t, _ in sorted(model["vocab"].items(), key=lambda x: x[1])]
    visible = {48, 49, 50, 51, 52, 100, 101}  # shown in text, as the converters of the released models do
    control = set(SPECIALS) | set(range(len(tokens) - 7, len(tokens)))
    types = []
    for i, t in enumerate(tokens):
        kind = gguf.TokenType.NORMAL
        if t.startswith("<0x"):
            kind = gguf.TokenType.BYTE
        elif i in visible:
            kind = gguf.TokenType.USER_DEFINED
        elif i in control:
            kind = gguf.TokenType.CONTROL
        elif t.startswith("<unused"):
            kind = gguf.TokenType.UNUSED
        types.append(int(kind))
    w.add_tokenizer_model("gemma4")
    w.add_token_list(tokens)
    w.add_token_scores([-1000.0] * len(tokens))
    w.add_token_types(types)
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in model["merges"]])
    w.add_bos_token_id(2)
    w.add_eos_token_id(106)
    w.add_unk_token_id(3)
    w.add_pad_token_id(0)
    w.add_mask_token_id(4)
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)
    w.add_add_space_prefix(False)
    w.add_chat_template((HERE / "chat_template.jinja").read_text(encoding="utf-8").rstrip("\n"))

    half = c["global_head_dim"] // 2
    turned = int(half * c["rope_parameters"]["full_attention"]["partial_rotary_factor"])
    w.add_tensor("rope_freqs.weight", np.array([1.0] * turned + [1e30] * (half - turned), dtype=np.float32))
    for name in sorted(weights, key=lambda n: (not n.startswith(("token", "per", "output")), [int(p) if p.isdigit() else p for p in n.split(".")])):
        v = weights[name].astype(np.float32)
        if v.ndim == 2:
            q = gguf.quants.quantize(v, gguf.GGMLQuantizationType.Q8_0)
            w.add_tensor(name, q, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            w.add_tensor(name, v)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    print(target, Path(target).stat().st_size, "bytes,", sum(v.size for v in weights.values()), "parameters")


def dequantized(path):
    """The weights of a GGUF as f32, under transformers' names."""
    reader = gguf.GGUFReader(path)
    back = {**{v: "model." + k for k, v in TOP.items()}, **{f"blk.{i}.{v}": f"model.layers.{i}.{k}" for i in range(len(LAYERS)) for k, v in NAMES.items()}}
    return {back[t.name]: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32).reshape(tuple(int(d) for d in reversed(t.shape))) for t in reader.tensors if t.name in back}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("source")
    p.add_argument("target", nargs="?")
    p.add_argument("--check", action="store_true")
    a = p.parse_args()
    if a.check:
        for t in gguf.GGUFReader(a.source).tensors:
            print(t.name, t.tensor_type.name, [int(d) for d in t.shape])
    else:
        write(a.source, a.target)


if __name__ == "__main__":
    main()
