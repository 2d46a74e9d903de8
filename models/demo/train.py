"""Trains the tokenizer and the model from scratch on generated dialogues.

    python train.py tokenizer                          writes tokenizer.json (and the chat template beside it)
    python train.py model --out DIR --seconds 400      trains on the GPU; writes DIR/model.safetensors and DIR/train.json
"""

import argparse
import json
import math
import multiprocessing
import os
import random
import time
from pathlib import Path

import generate

HERE = Path(__file__).resolve().parent
SP = "\u2581"
VOCAB = 2048
SPECIALS = {0: "<pad>", 1: "<eos>", 2: "<bos>", 3: "<unk>", 4: "<mask>", 46: "<|tool>", 47: "<tool|>", 48: "<|tool_call>", 49: "<tool_call|>",
            50: "<|tool_response>", 51: "<tool_response|>", 52: '<|"|>', 98: "<|think|>", 100: "<|channel>", 101: "<channel|>", 105: "<|turn>", 106: "<turn|>"}
MEDIA = ["<|image>", "<|audio>", "<|image|>", "<|audio|>", "<image|>", "<audio|>", "<|video|>"]
LAYERS = (["sliding_attention"] * 4 + ["full_attention"]) * 2
CONFIG = dict(
    vocab_size=VOCAB, vocab_size_per_layer_input=VOCAB, hidden_size=256, intermediate_size=352, num_hidden_layers=len(LAYERS), layer_types=LAYERS,
    num_attention_heads=4, num_key_value_heads=1, head_dim=64, global_head_dim=128, hidden_size_per_layer_input=32, num_kv_shared_layers=5,
    use_double_wide_mlp=True, sliding_window=256, max_position_embeddings=8192, rms_norm_eps=1e-6, final_logit_softcapping=30.0, tie_word_embeddings=True,
    hidden_activation="gelu_pytorch_tanh", attention_k_eq_v=False, enable_moe_block=False, attention_bias=False, use_bidirectional_attention=None,
    bos_token_id=2, eos_token_id=[1, 106], pad_token_id=0,
    rope_parameters={"full_attention": {"rope_type": "proportional", "rope_theta": 1e6, "partial_rotary_factor": 0.25}, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}},
)
LAYER_SCALARS = [0.90, 0.95, 0.85, 0.95, 0.90, 1.00, 0.90, 0.95, 0.85, 1.00]  # fixed, not learned


# ---------------------------------------------------------------------------------------------- tokenizer


def train_tokenizer(seed):
    """A byte-fallback BPE with Gemma's structure: spaces become U+2581, digits and newlines never merge with anything else."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    rng = random.Random(seed)
    corpus = [p for p in generate.PROMPTS for _ in range(300)] + generate.EXTRA * 20
    for _ in range(40000):
        for user, answer in generate.dialogue(rng)[1]:
            corpus += [user, user, answer]
    corpus = [t for t in corpus]
    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Replace(" ", SP)
    learner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(SP, "merged_with_next"), pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Split("\n", "isolated")])
    learner.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=6000, min_frequency=2, show_progress=False))
    learned = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in json.loads(learner.to_str())["model"]["merges"]]

    vocab = {}

    def add(piece):
        vocab.setdefault(piece, len(vocab))

    for i in range(107):
        add(SPECIALS.get(i, f"<unused{i}>"))
    for piece in ["\n", "\n\n", "\n\n\n", SP, SP * 2, SP * 3, SP * 4]:
        add(piece)
    for byte in range(256):
        add(f"<0x{byte:02X}>")
    letters = {c for line in corpus for c in line if c not in " \n"} | set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789áéíóúüñãõâêôàçÁÉÍÓÚÑÃÕÂÊÔÀÇ¿¡.,;:?!'\"()[]{}+-*/=<>$\\_^%#&@|~`°²×÷·−–—€")
    for c in sorted(letters):
        add(c)
    merges = [("\n", "\n"), ("\n\n", "\n"), (SP, SP), (SP * 2, SP), (SP * 2, SP * 2)]
    room = VOCAB - len(MEDIA) - 1
    for left, right in learned:
        if len(vocab) >= room:
            break
        if left + right not in vocab:
            add(left + right)
            merges.append((left, right))
    add("," + SP)  # counting: "1, 2, 3"; ranked last, so that it never cuts a word
    merges.append((",", SP))
    while len(vocab) < VOCAB - len(MEDIA):
        add(f"<unused{1000 + len(vocab)}>")
    for piece in MEDIA:
        add(piece)
    assert len(vocab) == VOCAB, len(vocab)

    tok = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tok.normalizer = normalizers.Replace(" ", SP)
    tok.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tok.decoder = decoders.Sequence([decoders.Replace(SP, " "), decoders.ByteFallback(), decoders.Fuse()])
    specials = [p for p in vocab if p.startswith("<") and p.endswith(">") and not p.startswith("<0x") and len(p) > 2]
    tok.add_special_tokens([AddedToken(p, normalized=False, special=True) for p in specials])
    tok.save(str(HERE / "tokenizer.json"))
    print("vocabulary", len(vocab), "merges", len(merges))


# ---------------------------------------------------------------------------------------------- data

_tok = None


def tokenizer():
    global _tok
    if _tok is None:
        from tokenizers import Tokenizer
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        _tok = Tokenizer.from_file(str(HERE / "tokenizer.json"))
    return _tok


def encode(text):
    return tokenizer().encode(text, add_special_tokens=False).ids


def encode_dialogue(system, turns):
    """(ids, mask): the mask is 1 where the model has to predict the token."""
    ids = encode("<bos>" + (f"<|turn>system\n{system.strip()}<turn|>\n" if system else ""))
    mask = [0] * len(ids)
    for user, answer in turns:
        head = encode(f"<|turn>user\n{user.strip()}<turn|>\n<|turn>model\n")
        body = encode(f"{answer.strip()}<turn|>")
        ids += head + body + encode("\n")
        mask += [0] * len(head) + [1] * len(body) + [0]
    return ids, mask


def shard(job):
    """Dialogues and tasks of one shard, packed into batches of equal length class. Deterministic by (seed, index)."""
    import numpy as np
    import tools
    seed, index, size, tokens, share = job
    rng = random.Random(f"{seed}/{index}")
    rows = []
    for _ in range(size):
        ids, mask = encode_dialogue(*(tools.dialogue(rng) if rng.random() < share else generate.dialogue(rng)))
        if len(ids) <= 2560:
            rows.append((ids, mask))
    rows.sort(key=lambda r: len(r[0]))
    batches, i = [], 0
    while i < len(rows):
        j = i
        while j < len(rows) and (j + 1 - i) * (-(-len(rows[j][0]) // 16) * 16) <= tokens:
            j += 1
        j = max(j, i + 1)
        if j == len(rows) and i and (j - i) * len(rows[-1][0]) < tokens // 3:
            break  # a small rest
        width = -(-len(rows[j - 1][0]) // 16) * 16
        x = np.zeros((j - i, width), dtype=np.int16)
        m = np.zeros((j - i, width), dtype=np.uint8)
        for k in range(i, j):
            n = len(rows[k][0])
            x[k - i, :n], m[k - i, :n] = rows[k]
        batches.append((x, m))
        i = j
    rng.shuffle(batches)
    return batches


# ---------------------------------------------------------------------------------------------- model


def build():
    import torch
    from transformers import Gemma4ForCausalLM, Gemma4TextConfig
    config = Gemma4TextConfig(**CONFIG)
    config._attn_implementation = "sdpa"
    model = Gemma4ForCausalLM(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("k_norm.weight"):
                p.fill_(p.numel() ** -0.5)  # attention has scale 1.0, so the key norm starts as the usual 1/sqrt(d)
            elif "post_" in name and name.endswith("layernorm.weight") or "post_per_layer_input_norm" in name:
                p.fill_(0.5)
        for layer, s in zip(model.model.layers, LAYER_SCALARS):
            layer.layer_scalar.fill_(s)
    return model


def fuse_norms():
    """One kernel for each RMS norm instead of five; the same formula."""
    import torch
    from transformers.models.gemma4.modeling_gemma4 import Gemma4RMSNorm

    def forward(self, x):
        weight = getattr(self, "weight", None)
        return torch.nn.functional.rms_norm(x.float(), (x.shape[-1],), None if weight is None else weight.float(), self.eps).type_as(x)

    Gemma4RMSNorm.forward = forward


def lr_at(progress, peak):
    if progress < 0.02:
        return peak * progress / 0.02
    return peak * (0.5 * (1 + math.cos(math.pi * (progress - 0.02) / 0.98)) * 0.99 + 0.01 * (1 - progress))


def train(a):
    import torch
    from safetensors.torch import save_file
    torch.manual_seed(a.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.set_float32_matmul_precision("high")
    dev = "cuda" if torch.cuda.is_available() else "cpu"
    fuse_norms()
    model = build().to(dev)
    if a.init:
        if a.init.endswith(".gguf"):
            from convert import dequantized
            weights = {k: torch.from_numpy(v.copy()) for k, v in dequantized(a.init).items()}
        else:
            from safetensors.torch import load_file
            weights = load_file(a.init)
        missing, unexpected = model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        assert not unexpected and all(m == "lm_head.weight" or "embed_scale" in m or "inv_freq" in m for m in missing), (missing, unexpected)
    model.train()
    body = model.model
    head = model.get_input_embeddings().weight
    cap = CONFIG["final_logit_softcapping"]
    decay = [p for n, p in model.named_parameters() if p.dim() >= 2 and "embed" not in n]
    rest = [p for n, p in model.named_parameters() if not (p.dim() >= 2 and "embed" not in n)]
    print("parameters", sum(p.numel() for p in model.parameters()), flush=True)
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=a.lr, betas=(0.9, 0.95), fused=dev == "cuda")
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    fwd = torch.compile(body, dynamic=True) if a.compile else body

    def save(name):
        state = {k: (v.detach().half() if v.dim() > 1 else v.detach().float()).cpu().contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight" and "embed_scale" not in k and "inv_freq" not in k}
        save_file(state, str(out / name), metadata={"format": "pt"})

    def loss_of(x, m):
        with torch.autocast(dev, dtype=torch.bfloat16):
            h = fwd(input_ids=x, use_cache=False).last_hidden_state
            keep = m[:, 1:].bool()
            h = h[:, :-1][keep]
            logits = (h @ head.t().to(h.dtype)).float()
            logits = cap * torch.tanh(logits / cap)
        return torch.nn.functional.cross_entropy(logits, x[:, 1:][keep])

    workers = a.workers or max(1, (os.cpu_count() or 2) - 2)
    pool = multiprocessing.get_context("spawn").Pool(workers)
    start, step, tokens, log = None, 0, 0, []
    total = a.steps
    done = False
    limit = a.max_shards
    gate = multiprocessing.get_context("spawn")

    def jobs():
        for i in range(limit):
            while i > taken[0] + 3 * workers:  # do not run far ahead of the training
                time.sleep(0.05)
            yield (a.seed, i, a.shard, a.tokens, a.tools)

    taken = [0]
    running = []
    for batches in pool.imap(shard, jobs()):
        taken[0] += 1
        for x, m in batches:
            x = torch.from_numpy(x).to(dev, non_blocking=True).long()
            m = torch.from_numpy(m).to(dev, non_blocking=True)
            if step == 20:
                if dev == "cuda":
                    torch.cuda.synchronize()
                start = time.time()
            elapsed = time.time() - start if start else 0.0
            progress = step / total if total else min(1.0, elapsed / a.seconds)
            if progress >= 1.0 or (a.stop and step >= a.stop):
                done = True
                break
            lr = lr_at(progress if total or start else step / 20 * 0.001, a.lr)
            for g in opt.param_groups:
                g["lr"] = lr
            loss = loss_of(x, m)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            opt.zero_grad(set_to_none=True)
            running.append(loss.detach())
            step += 1
            tokens += x.numel()
            if step % a.every == 0:
                v = float(torch.stack(running).mean())
                running = []
                log.append(dict(step=step, seconds=round(elapsed, 1), tokens=tokens, loss=round(v, 5), lr=round(lr, 6)))
                print(log[-1], flush=True)
            if a.save_every and step % a.save_every == 0:
                save("model.safetensors")
        if done:
            break
    save("model.safetensors")
    (out / "train.json").write_text(json.dumps(dict(seed=a.seed, steps=step, tokens=tokens, seconds=round(time.time() - start, 1) if start else None, peak_lr=a.lr, batch_tokens=a.tokens, tools=a.tools, shard=a.shard, shards=taken[0],
                                                    device=torch.cuda.get_device_name() if dev == "cuda" else "cpu", parameters=sum(p.numel() for p in model.parameters()), log=log), indent=1) + "\n")
    print("done", flush=True)
    for child in multiprocessing.active_children():
        child.terminate()
    os._exit(0)  # the pool's feeder may still be generating


def main():
    p = argparse.ArgumentParser()
    sub = p.add_subparsers(dest="what", required=True)
    t = sub.add_parser("tokenizer")
    t.add_argument("--seed", type=int, default=7)
    m = sub.add_parser("model")
    m.add_argument("--out", required=True)
    m.add_argument("--seed", type=int, default=7)
    m.add_argument("--seconds", type=float, default=400, help="length of the training; the learning rate follows the clock")
    m.add_argument("--steps", type=int, default=0, help="a fixed number of steps instead of --seconds")
    m.add_argument("--stop", type=int, default=0, help="stop after this many steps of the schedule")
    m.add_argument("--init", help="go on from these weights (safetensors, or a GGUF file dequantised) instead of random ones")
    m.add_argument("--tools", type=float, default=0.25, help="share of the app's tools among the dialogues")
    m.add_argument("--lr", type=float, default=2e-3)
    m.add_argument("--tokens", type=int, default=65536, help="padded tokens in a batch")
    m.add_argument("--shard", type=int, default=8192, help="dialogues generated at a time")
    m.add_argument("--max-shards", type=int, default=100000)
    m.add_argument("--workers", type=int, default=0)
    m.add_argument("--every", type=int, default=50)
    m.add_argument("--save-every", type=int, default=1000)
    m.add_argument("--compile", action="store_true")
    a = p.parse_args()
    train_tokenizer(a.seed) if a.what == "tokenizer" else train(a)


if __name__ == "__main__":
    main()
