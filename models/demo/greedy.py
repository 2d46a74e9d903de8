"""Writes greedy.json: prompts as token ids, the greedy new ids and each step's distance between the two best logits.

The ids come from transformers' model in f32 on the dequantised weights of the GGUF file; with llama-cpp-python 0.3.36
installed the same file is run in llama.cpp (CPU, f32 KV cache, no flash attention) and compared, tokenizer included.

    python greedy.py aula-demo.gguf --out greedy.json
"""

import argparse
import ctypes
import json
from pathlib import Path

import numpy as np
import torch

import generate
from evaluate import load
from train import encode, tokenizer

ASKED = [
    ("es", [], "Hola"), ("en", [], "hello"), ("pt", [], "Oi, tudo bem?"), ("es", [], "¿Quién eres?"), ("en", [], "What can you do?"),
    ("es", [], "¿Cuánto es 34 + 21?"), ("en", [], "what's 52 - 27"), ("pt", [], "quanto é 7 x 8"), ("es", [], "23 por 4"), ("en", [], "23 × 45"), ("pt", [], "56 dividido por 8"), ("es", [], "7*8"),
    ("es", [], "la tabla del 7"), ("en", [], "Write the times table of 9"), ("pt", [], "tabuada do 6"),
    ("es", [], "1/4 + 2/4"), ("en", [], "What is 1/2 + 1/3?"), ("pt", [], "simplifique 6/8"), ("es", [], "¿Cuántos centímetros hay en 3 metros?"), ("en", [], "2 hours in minutes"),
    ("es", [], "¿Cuál es la capital de Perú?"), ("en", [], "which planet is the largest"), ("pt", [], "O que é a fotossíntese?"), ("es", [], "¿Qué es una fracción?"),
    ("es", [], "creo que 7 x 8 es 54"), ("en", [], "Is 34 + 21 55?"), ("pt", [], "9 x 6 = 54?"),
    ("es", [], "cuenta de 1 a 200"), ("en", [], "count from 1 to 200"), ("pt", [], "conte de 1 a 200"), ("es", [], "cuéntame una historia larga de números"), ("en", [], "Explain the water cycle in detail"),
    ("es", [], "dame un ejercicio"), ("en", [], "Write a Python program that counts from 1 to 10"), ("es", [], "¿Quién fue Simón Bolívar?"), ("en", [], "solve x² + 5x = 6"), ("pt", [], "fale sobre os buracos negros"),
    ("es", ["¿Cuánto es 6 × 7?"], "no entiendo"), ("en", ["What is 34 + 21?"], "why?"), ("pt", ["um exercício de multiplicação"], "42"), ("es", ["dame un ejercicio de resta"], "35"), ("en", ["give me an exercise", "40"], "42"),
    ("en", ["Hello", "7 x 6", "thanks"], "yes"), (None, [], "¿Cuánto es 8 × 9?"), (None, [], "What is 81 ÷ 9?"),
]


@torch.no_grad()
def transformers_greedy(model, ids, limit=1200):
    from transformers import DynamicCache
    cache, new, margins, x = DynamicCache(config=model.config), [], [], torch.tensor([ids])
    while len(new) < limit:
        logits = model(input_ids=x, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1].float()
        top = logits.topk(2)
        new.append(int(top.indices[0]))
        margins.append(float(top.values[0] - top.values[1]))
        if new[-1] in (1, 50, 106):
            break
        x = torch.tensor([[new[-1]]])
    return new, margins


class Llama:
    def __init__(self, path, threads=1, context=4096):
        import llama_cpp as c
        self.c = c
        self.quiet = c.llama_log_callback(lambda *_: None)
        c.llama_log_set(self.quiet, ctypes.c_void_p(0))
        c.llama_backend_init()
        self.model = c.llama_model_load_from_file(str(path).encode(), c.llama_model_default_params())
        p = c.llama_context_default_params()
        p.n_ctx, p.n_batch, p.n_ubatch, p.n_threads, p.n_threads_batch = context, 2048, 2048, threads, threads
        p.flash_attn_type, p.type_k, p.type_v = 0, 0, 0
        self.context = c.llama_init_from_model(self.model, p)
        self.vocab = c.llama_model_get_vocab(self.model)
        self.size = c.llama_vocab_n_tokens(self.vocab)

    def logits(self, ids):
        array = (self.c.llama_token * len(ids))(*ids)
        assert self.c.llama_decode(self.context, self.c.llama_batch_get_one(array, len(ids))) == 0
        return np.ctypeslib.as_array(self.c.llama_get_logits_ith(self.context, -1), shape=(self.size,)).copy()

    def greedy(self, ids, limit=1200):
        self.c.llama_memory_clear(self.c.llama_get_memory(self.context), True)
        new, x = [], ids
        while len(new) < limit:
            new.append(int(self.logits(x).argmax()))
            if new[-1] in (1, 50, 106):
                break
            x = [new[-1]]
        return new

    def tokenize(self, text):
        raw = text.encode()
        out = (self.c.llama_token * (len(raw) + 8))()
        return list(out[:self.c.llama_tokenize(self.vocab, raw, len(raw), out, len(raw) + 8, False, True)])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("--out", default="greedy.json")
    a = p.parse_args()
    model = load(a.model, "cpu")
    try:
        llama = Llama(a.model)
    except ImportError:
        llama = None
    rows, same_text, same_ids = [], 0, 0
    for lang, before, last in ASKED:
        system = generate.PROMPTS[generate.LANGS.index(lang)] if lang else None
        history = []
        for user in before:
            answer, _ = transformers_greedy(model, encode(generate.render(system, history, user)))
            history.append((user, tokenizer().decode(answer[:-1], skip_special_tokens=False)))
        text = generate.render(system, history, last)
        ids = encode(text)
        new, margins = transformers_greedy(model, ids)
        row = dict(lang=lang, user=last, turns=len(history) + 1, prompt=text, ids=ids, new_ids=new, margins=[round(m, 3) for m in margins], smallest_margin=round(min(margins), 4),
                   text=tokenizer().decode(new[:-1] if new[-1] in (1, 50, 106) else new, skip_special_tokens=False))
        if llama:
            other = llama.greedy(ids)
            row["llama_cpp_same_ids"] = llama.tokenize(text) == ids
            row["llama_cpp_same_new_ids"] = other == new
            if other != new:
                at = next(i for i, (x, y) in enumerate(zip(other + [-1], new + [-2])) if x != y)
                row["first_difference"] = dict(step=at, margin=round(margins[min(at, len(margins) - 1)], 4), llama_cpp=other[at:at + 8])
            same_ids += row["llama_cpp_same_ids"]
            same_text += row["llama_cpp_same_new_ids"]
        rows.append(row)
        print(len(ids), len(new), row.get("llama_cpp_same_new_ids"), row["smallest_margin"], repr(last), "->", repr(row["text"][-90:]), flush=True)
    Path(a.out).write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows) + "\n]\n", encoding="utf-8")
    if llama:
        print(f"llama.cpp: prompt ids equal {same_ids}/{len(rows)}, new ids equal {same_text}/{len(rows)}")


if __name__ == "__main__":
    main()
