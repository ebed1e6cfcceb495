"""Forward and backward pass of PyTorch's mean cross-entropy, once for each line read.

torch_peer.py THREADS ROWS CLASSES. Writes the version first, then a line for each run.
"""
import sys
import torch
import torch.nn.functional as F

threads, rows, classes = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(0)
labels = torch.randint(classes, (rows,))
logits = (torch.randn(rows, classes) * 4).requires_grad_()
print(torch.__version__, flush=True)
for _ in sys.stdin:
    logits.grad = None
    F.cross_entropy(logits, labels).backward()
    print(flush=True)
