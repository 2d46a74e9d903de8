"""Measures the demo model on held-out prompts, with the weights of the GGUF file (dequantised to f32).

    python evaluate.py aula-demo.gguf --out results.json [--per 200] [--seed 7]

Also accepts a model.safetensors; its matrices then go through Q8_0 first, so that the numbers are those of the shipped file.
An answer is exact when its result line (or, where there is none, its whole text) is the right one, in the student's language.
The null baseline answers every prompt of a kind and language with the most frequent right answer of these very prompts.
"""

import argparse
import collections
import json
import time
from pathlib import Path

import numpy as np
import torch

import generate
from train import build, encode, tokenizer


def q8(v):
    """The Q8_0 rounding of a matrix: blocks of 32 with an f16 scale."""
    b = v.reshape(-1, 32)
    d = np.abs(b).max(1, keepdims=True) / 127
    inv = np.divide(1, d, out=np.zeros_like(d), where=d > 0)
    x = b * inv
    q = np.sign(x) * np.floor(np.abs(x) + 0.5)
    return (q * d.astype(np.float16).astype(np.float32)).reshape(v.shape).astype(np.float32)


def load(path, device):
    if str(path).endswith(".gguf"):
        from convert import dequantized
        state = dequantized(path)
    else:
        from safetensors.numpy import load_file
        state = {k: q8(v.astype(np.float32)) if v.ndim == 2 else v for k, v in load_file(path).items()}
    model = build()
    missing, unexpected = model.load_state_dict({k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in state.items()}, strict=False)
    left = [m for m in missing if m != "lm_head.weight" and "embed_scale" not in m and "inv_freq" not in m]
    assert not left and not unexpected, (left, unexpected)
    model.tie_weights()
    return model.eval().to(device)


@torch.no_grad()
def generate_batch(model, prompts, limit, sample, generator, half=False):
    """Greedy or sampled continuations of prompts of different lengths (left-padded)."""
    device = next(model.parameters()).device
    width = max(map(len, prompts))
    ids = torch.zeros((len(prompts), width), dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for i, p in enumerate(prompts):
        ids[i, width - len(p):] = torch.tensor(p)
        mask[i, width - len(p):] = 1
    ids, mask = ids.to(device), mask.to(device)
    from transformers import DynamicCache
    cache = DynamicCache(config=model.config)
    position = (mask.cumsum(1) - 1).clamp(min=0)
    new = None
    ended = torch.zeros(len(prompts), dtype=torch.bool, device=device)
    steps = []
    for step in range(limit):
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
            r = model(input_ids=ids if new is None else new[:, None], attention_mask=mask, position_ids=position, past_key_values=cache, use_cache=True, logits_to_keep=1)
        logits = r.logits[:, -1].float()
        if sample:
            top, index = logits.topk(64)
            p = torch.softmax(top, -1)
            keep = p.cumsum(-1) - p < 0.95
            p = torch.where(keep, p, torch.zeros_like(p))
            choice = torch.multinomial(p / p.sum(-1, keepdim=True), 1, generator=generator)
            new = index.gather(1, choice)[:, 0]
        else:
            new = logits.argmax(-1)
        new = torch.where(ended, torch.zeros_like(new), new)
        steps.append(new)
        ended |= (new == 106) | (new == 1) | (new == 50)
        if step % 16 == 15 and bool(ended.all()):
            break
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
        position = position[:, -1:] + 1
    table = torch.stack(steps, 1).tolist()
    for row in table:
        cut = next((i for i, t in enumerate(row) if t in (106, 1, 50)), len(row))
        yield tokenizer().decode(row[:cut], skip_special_tokens=False)


def size_class(n):
    return n // 40 if n < 240 else 6 + n // 240


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("--out")
    p.add_argument("--per", type=int, default=200)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--batch", type=int, default=400)
    p.add_argument("--kinds", nargs="*", default=list(generate.KINDS))
    p.add_argument("--modes", nargs="*", default=["test/greedy", "test/sampled", "numbers/greedy"])
    p.add_argument("--tools", type=int, default=0, help="so many held-out tasks of the app's tools, greedy and sampled, without a grammar")
    p.add_argument("--half", action="store_true", help="bf16 arithmetic")
    a = p.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load(a.model, device)
    jobs = []
    for mode in a.modes:
        split, how = mode.split("/")
        for kind in a.kinds:
            for l in range(3):
                for t in generate.test_prompts(kind, l, a.per, a.seed, split):
                    ids = encode(generate.render(t["system"], t["history"], t["user"]))
                    jobs.append((how == "sampled", len(encode(t["answer"])), mode, t, ids))
    gen = torch.Generator(device=device).manual_seed(a.seed)
    measured = {}
    if a.tools:
        import tools
        rows = tools.tasks(a.tools, a.seed)
        rows.sort(key=lambda r: len(tools.compact(r[3])))
        for how in ("greedy", "sampled"):
            done, start = [], time.time()
            for i in range(0, len(rows), a.batch):
                part = rows[i:i + a.batch]
                prompts = [encode(generate.render(system, [], user)) for _, system, user, _, _ in part]
                limit = min(2400, len(encode(tools.compact(part[-1][3]))) * 3 // 2 + 100)
                for row, text in zip(part, generate_batch(model, prompts, limit, how == "sampled", gen, a.half)):
                    done.append((row[0], row[3], row[4], text))
            measured[how] = tools.measure(done)
            for r in measured[how]:
                print(how, {k: v for k, v in r.items() if k != "samples"}, flush=True)
            print(f"tools {how}: {time.time() - start:.0f} s", flush=True)
    jobs.sort(key=lambda j: (j[0], size_class(j[1]), len(j[4])))
    start, done = time.time(), []
    i = 0
    while i < len(jobs):
        part = [jobs[i]]
        while len(part) < a.batch and i + len(part) < len(jobs) and jobs[i + len(part)][0] == part[0][0] and size_class(jobs[i + len(part)][1]) == size_class(part[0][1]):
            part.append(jobs[i + len(part)])
        limit = max(j[1] for j in part) + 24
        for j, text in zip(part, generate_batch(model, [j[4] for j in part], limit, part[0][0], gen, a.half)):
            done.append((j[2], j[3], text))
        i += len(part)
        print(f"{i}/{len(jobs)} {time.time() - start:.0f} s", flush=True)
    table = collections.defaultdict(list)
    for mode, t, text in done:
        table[mode, t["kind"], t["lang"]].append((t, text))
    results = []
    for (mode, kind, lang), rows in sorted(table.items()):
        top = collections.Counter(t["key"] for t, _ in rows).most_common(1)[0][1]
        exact = sum(t["key"] in text for t, text in rows)
        whole = sum(t["answer"] == text for t, text in rows)
        refused = sum(text == generate.REFUSE[generate.LANGS.index(lang)] for t, text in rows)
        wrong = [dict(user=t["user"], expected=t["key"], got=text[-160:]) for t, text in rows if t["key"] not in text][:4]
        results.append(dict(mode=mode, kind=kind, lang=lang, prompts=len(rows), exact=round(exact / len(rows), 4), whole_text=round(whole / len(rows), 4), null=round(top / len(rows), 4),
                            refused=round(refused / len(rows), 4), wrong=wrong))
    for mode in a.modes:
        print(mode)
        for kind in a.kinds:
            r = [x for x in results if x["mode"] == mode and x["kind"] == kind]
            print(f"  {kind:9}", "  ".join(f"{x['lang']} {x['exact']:.3f} ({x['whole_text']:.3f}, null {x['null']:.2f}, ref {x['refused']:.2f})" for x in r))
    if a.out:
        Path(a.out).write_text(json.dumps(dict(model=Path(a.model).name, per=a.per, seed=a.seed, device=device, results=results, tools=measured), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
