// Package classifier trains linear text classifiers on a CPU and classifies with
// them. It knows texts, targets and labels; it does no HTTP, reads no training
// files and knows nothing of Kubernetes.
//
// # Memory
//
// The examples of a training are a Corpus, in files that have no names. So are their
// feature vectors, but the first 24 MiB, and all else that there is one of for each
// example. What is read from these is the system's to keep in memory or not. The
// process has the vocabulary, of 2^18 features at most, and the weights, so that its
// memory grows with the features until these are as many, and not with the examples;
// see MemoryNeeded. A training that was
// interrupted goes on from a checkpoint when it has a Resumption.
//
// # Model
//
// A text is read in Unicode's normal form NFKC, without case and what cannot be seen, so
// that it does not matter how it was typed. It becomes the counts of its word 1-2-grams and
// of the character 2-5-grams within its words, hashed into a fixed number of slots. In
// scripts that put no spaces between words, the 1-3-grams of characters are those of
// words. The character n-grams of a long text are of a sample that is spread evenly over
// it. Square roots of counts are weighted and scaled so that words and characters each have
// length one, those that are no features included: of a text of which little is known,
// little is said. Characters that are sampled have the share that they are of all. A
// feature weighs more the rarer it is and the more the labels of the examples that
// have it differ from those of all. Every target is a linear head on these
// features: a softmax for single_class, a sigmoid for each label for multi_class.
// One temperature for each target, fitted on examples that its weights have not
// seen, makes the scores usable as probabilities.
//
// The scores of a target always sum to one, those of a multi_class target too, as
// clients of the protocol expect: there, a label applies when its score is above a
// threshold that is well below one half.
//
// A conversation becomes the weighted mean of its turns, each a text of its own, so that
// one in which one turn tells the label is classified as that turn would be. How much a turn
// counts is learned before the rest, with naive Bayes on the words of up to 4096
// conversations: by the role and the place of the turn, from either end, its length and
// its words. Of the turns between the first four and the last sixteen, all are one. Where
// there are several targets, words are also features of who said them and whether first
// or last.
//
// Whether each of its labels applies is what Probabilities and Decide tell: each
// label has a probability of its own and a threshold, chosen on the same unseen
// examples by micro- and macro-F1.
//
// A base model can add what was learned elsewhere: dense vectors of the texts, of which
// the training's mean is taken off and the length made one. Heads of their own are
// fitted to them, and added to those of words and characters with the share that the held-out
// examples are expected most with; see Representation. Where that is none, the model is the
// same as without. The vector of a conversation is that of its Content.
//
// # Training
//
// The weights are the mean of several fits, which err in different ways: of two by
// stochastic gradient descent, one example at a time in an order shuffled for each
// pass, a part of its features left out at random (the larger a part, the fewer
// examples there are for each label), at a learning rate that rises linearly and then
// falls linearly to zero; and, for single_class targets, of a support vector machine.
// Of NB-SVM, the same on features of naive Bayes, single_class targets of few labels have as
// much as the examples that no weight was fitted to are told apart better by, in what is decided
// and in how sure that is; none by default.
// Naive Bayes, which needs no fitting, has a fifth of the mean; what it counts, and what
// features weigh by, are examples, whatever their weights. The fits run on all
// processors but one. The same examples and options give the same model bytes on a
// processor architecture, whatever the number of processors. Where weights would take
// much memory, there is one descent instead.
//
// The name of a label says what it is about. It is learned from as an example that counts
// the less the more others there are, and labels whose names have words in common learn
// from each other's examples in a descent. With five examples of each label that is worth
// three to six points of accuracy. Names count only where the texts of the labels have more in
// common with them than with those of other labels.
//
// The examples of a single_class label count the less the more there are of them, by
// the square root, so that rare labels are learned, too. What frequent labels lost by that
// they get back as far as the examples say that no weight was fitted to.
// Training does not stop early: the falling rate does what stopping would, and better.
//
// Validation examples calibrate the model. Without any, a tenth of the training
// examples, chosen by the seed, calibrates a second set of weights that is trained on
// the rest and measured in the model's place; the model learns from everything, but
// what features weigh. Where fewer than 200 examples would calibrate, those of other tenths do,
// too, each by weights that are fitted to the rest.
//
// A learning curve says whether more examples would help: one descent of a quarter of the
// passes is fitted to a quarter, half and all of the examples that are not held out, on the
// features of all. It is passed over where it would say little, take memory or long; see
// Trained.
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
//   - WeightDecay is relative to 0.1 and adds L2 regularisation in proportion, that
//     of the support vector machine by a factor from one tenth to ten.
//   - WarmupFraction is used as it is; zero means 0.05.
//   - Quality is the engine's own: QualityFast has one descent of half as many passes,
//     QualityBest has five.
//
// # Limits
//
// At most 10000 labels are allowed over all targets. Features are pruned, rarest
// first, until features times labels fit 2^26 weights. Training takes at most 384 MiB,
// and 696 MiB when it holds examples out. A trained model takes a byte for each weight.
package classifier
