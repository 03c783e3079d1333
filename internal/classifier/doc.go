// Package classifier trains linear text classifiers on a CPU and classifies with
// them. It knows texts, targets and labels; it does no HTTP, reads no training
// files and knows nothing of Kubernetes.
//
// # Model
//
// A text becomes the counts of its lower-cased word 1-2-grams and of the character
// 2-5-grams within its words, hashed into a fixed number of slots, their square
// roots weighted by inverse document frequency and scaled so that words and
// characters each have length one. Every target is a linear head on these features: a softmax for
// single_class, one sigmoid for each label for multi_class. One temperature for
// each target, fitted on examples that its weights have not seen, makes the
// scores usable as probabilities. Scores of a target always sum to one, those
// of a multi_class target too, as clients of the protocol expect: a label
// applies when its score is above a threshold that is well below one half.
//
// # Training
//
// Weights are fitted by stochastic gradient descent, one example at a time in an
// order shuffled for each pass, half of its features left out at random, the
// learning rate rising linearly and then falling linearly to zero. The same examples and options give the same model
// bytes, whatever the number of processors; training uses one of them.
//
// Validation examples calibrate the model. Without any, a tenth of the training
// examples, chosen by the seed, calibrates a second set of weights that is
// trained beside the first and thrown away; the model is trained on everything.
//
// # Hyperparameters
//
// They are written for fine-tuning a large language model. A job that was tuned
// for one must give a good model here too, so each keeps its meaning relative to
// what is usual there, and none can starve the training:
//
//   - Steps and Epochs make training longer, never shorter than the engine's own
//     choice of passes over the data: Steps in proportion above 250, Epochs as
//     that many passes, at most four times the engine's choice. Steps is also
//     the unit in which progress is reported; zero reports in 100 steps.
//   - LearningRate is relative to 1e-4, by its square root: the engine's own is
//     multiplied by one half at least and by two at most.
//   - WeightDecay is relative to 0.1 and adds L2 regularisation in proportion.
//   - WarmupFraction is used as it is; zero means 0.05.
//
// # Limits
//
// Features are pruned, rarest first, until features times labels fit 2^26
// weights. Training holds 4 bytes for each weight (8 when it holds examples out)
// beside the examples; a trained model holds one. At most 10000 labels are
// allowed over all targets.
package classifier
