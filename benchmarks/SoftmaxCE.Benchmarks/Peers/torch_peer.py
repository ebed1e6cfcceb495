"""One PyTorch workload, run once for each line read: forward and backward pass of a mean cross-entropy.

torch_peer.py cross_entropy|linear THREADS ROWS CLASSES FEATURES. Answers with the version first, then for each run the megabytes of resident
memory that PyTorch has needed at most beyond inputs and gradients.
"""
import resource, sys
import torch
import torch.nn.functional as F

kind, (threads, rows, classes, features) = sys.argv[1], map(int, sys.argv[2:])
torch.set_num_threads(threads)
torch.manual_seed(0)
labels = torch.randint(classes, (rows,))
if kind == "linear":
    inputs = [torch.randn(rows, features), torch.randn(classes, features) * 0.05, torch.randn(classes)]
    logits = lambda: F.linear(*inputs)
else:
    inputs = [torch.randn(rows, classes) * 4]
    logits = lambda: inputs[0]
for tensor in inputs:
    tensor.requires_grad_()
    tensor.grad = torch.zeros_like(tensor)      # resident, as ours is


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


before = peak()
print(torch.__version__, flush=True)
for _ in sys.stdin:
    for tensor in inputs:
        tensor.grad = None
    F.cross_entropy(logits(), labels).backward()
    print(f"{peak() - before:.0f}", flush=True)
