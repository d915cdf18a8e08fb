package import TensorTypes
package import Transformers

/// How `silt finetune` trains.
package struct FineTuneOptions: Sendable {
    /// What moves the parameters.
    package enum Optimizer: String, Sendable, CaseIterable {
        /// Adam with decoupled decay towards zero.
        case adamw
        /// Adam with a decoupled pull towards the base.
        case adamr
    }

    /// The distance that the pull shortens.
    package enum Norm: String, Sendable, CaseIterable {
        case l2, l1
    }

    /// What the pull is divided by.
    package enum PullScale: String, Sendable, CaseIterable {
        /// The root of the mean of all second moments, as AdamR is published.
        case rms
        /// Nothing.
        case none
    }

    /// What the model is trained for.
    package enum Task: String, Sendable, CaseIterable {
        /// What the labels of the data say: whole numbers are classes, others values, none means the next token.
        case auto
        case classification, regression, causal
    }

    /// The type of the weights that are written.
    package enum StoredType: String, Sendable, CaseIterable {
        /// Each tensor as in the base.
        case base
        case f32, bf16, f16
    }

    /// Which of the models that were validated is written.
    package enum Kept: String, Sendable, CaseIterable {
        case best, last
    }

    /// The data to train on, and those that choose among checkpoints.
    package var train: String, validation: String
    /// What the model is trained for.
    package var task = Task.auto
    /// Classes; nil: as many as the training data have, or the base's head.
    package var labels: Int?
    /// Their names for config.json; empty: the base's, or LABEL_0 and so on.
    package var labelNames: [String] = []
    /// Whether a new head is made where the base has one.
    package var makesNewHead = false

    /// What moves the parameters.
    package var optimizer = Optimizer.adamw
    /// Of AdamW.
    package var decay = 0.0
    /// Of AdamR.
    package var pull: Double?
    /// What the pull shortens.
    package var norm = Norm.l2
    /// What the pull is divided by.
    package var pullScale = PullScale.rms
    /// The largest learning rate.
    package var rate = 5e-5
    /// That of layers that the base lacks.
    package var newRate = 1e-3
    /// How often every example is met.
    package var epochs = 2
    /// Examples of a step.
    package var batch = 32
    /// Of the order of examples and of new layers.
    package var seed: UInt64 = 0
    /// Share of the steps in which the learning rate rises.
    package var warmUp = 0.06
    /// The largest norm of a gradient; 0: any.
    package var clip = 1.0
    /// Steps between validations; nil: an epoch.
    package var validateEvery: Int?
    /// Examples of either data set that are read at most; nil: all.
    package var examples: Int?
    /// Parts of a batch whose gradients are computed at once and added up in their order.
    package var groups = 4

    /// The type of the weights that are written.
    package var stored = StoredType.base
    /// Which model is written.
    package var kept = Kept.best
    /// Where the training's state is kept; nil: beside the output.
    package var state: String?
    /// Whether to go on from the state.
    package var resumes = false
    /// Whether an older output, and an older state, give way.
    package var replaceExisting = false

    /// Options that are well as they are, but for the data.
    package init(train: String, validation: String) { (self.train, self.validation) = (train, validation) }

    /// Throws `usage` for numbers that mean nothing.
    package func check() throws(SiltError) {
        func require(_ condition: Bool, _ message: String) throws(SiltError) {
            if !condition { throw SiltError(.usage, message) }
        }
        for (name, value) in [("rate", rate), ("rate of new layers", newRate)] {
            try require(value.isFinite && value > 0, "the learning \(name) is \(value); it must be above 0")
        }
        try require(epochs >= 1 && epochs <= 1_000_000, "\(epochs) epochs; give 1 to 1000000")
        try require(batch >= 1 && batch <= 1 << 20, "a batch of \(batch) examples; give 1 to \(1 << 20)")
        try require((0...1).contains(warmUp), "the share of the warm-up is \(warmUp); it must be from 0 to 1")
        try require(clip.isFinite && clip >= 0, "gradients are clipped to \(clip); give 0 (not at all) or more")
        try require(decay.isFinite && decay >= 0, "the weight decay is \(decay); it must be 0 or more")
        try require((1...1_024).contains(groups), "\(groups) groups; give 1 to 1024")
        try require((validateEvery ?? 1) >= 1, "a validation every \(validateEvery ?? 0) steps; give 1 or more")
        try require((examples ?? 1) >= 1, "\(examples ?? 0) examples to train on; give 1 or more")
        switch (optimizer, pull) {
        case (.adamw, let pull?):
            throw SiltError(.usage, "a pull of \(pull) requires adamr; the optimizer is adamw")
        case (.adamr, nil):
            throw SiltError(.usage, "adamr needs a pull", advice: "Docs/Training.md says how to find one")
        case (.adamr, let pull?):
            try require(pull.isFinite && pull >= 0, "the pull is \(pull); it must be 0 or more")
            try require(decay == 0, "adamr pulls towards the base, not towards zero: leave out the weight decay")
        case (.adamw, nil): break
        }
        try require((labels ?? 2) >= 2 && (labels ?? 2) <= 1 << 20, "\(labels ?? 0) labels; give 2 or more")
        if let labels, !labelNames.isEmpty {
            try require(labelNames.count == labels, "\(labelNames.count) names for \(labels) labels")
        }
        try require(Set(labelNames).count == labelNames.count, "two labels have the same name")
        try require(labelNames.count != 1, "only one label name; give all of them")
    }

    /// The optimizer with these numbers.
    package var rule: OptimizerRule {
        var rule = OptimizerRule()
        rule.decay = decay
        rule.pull = pull ?? 0
        rule.norm = norm == .l1 ? .l1 : .l2
        rule.isPullScaled = pullScale == .rms
        return rule
    }

    /// All that decides the bits of the result, for the state.
    package var identity: String {
        let numbers: [(String, String)] = [
            ("task", task.rawValue), ("labels", "\(labels ?? 0)"), ("names", labelNames.joined(separator: "\u{1F}")),
            ("new-head", "\(makesNewHead)"), ("optimizer", optimizer.rawValue), ("decay", "\(decay)"),
            ("pull", "\(pull ?? 0)"), ("norm", norm.rawValue), ("pull-scale", pullScale.rawValue), ("lr", "\(rate)"),
            ("head-lr", "\(newRate)"), ("epochs", "\(epochs)"), ("batch", "\(batch)"), ("seed", "\(seed)"),
            ("warm-up", "\(warmUp)"), ("clip", "\(clip)"), ("validate-every", "\(validateEvery ?? 0)"),
            ("examples", "\(examples ?? 0)"), ("groups", "\(groups)"),
        ]
        return numbers.map { "\($0) \($1)" }.joined(separator: "\n")
    }
}
