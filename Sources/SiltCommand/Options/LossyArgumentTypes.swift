internal import SiltPacking
internal import SiltTuning
internal import ArgumentParser

/// `random`, or `lowrank+random`.
struct MethodArgument: ExpressibleByArgument {
    let method: LossyOptions.Method
    let residual: LossyOptions.Method?

    init?(argument: String) {
        let names = argument.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(names.count), let method = LossyOptions.Method(rawValue: names[0]) else { return nil }
        self.method = method
        guard names.count == 2 else {
            residual = nil
            return
        }
        guard let residual = LossyOptions.Method(rawValue: names[1]) else { return nil }
        self.residual = residual
    }

    /// As it is written.
    var name: String { method.rawValue + (residual.map { "+\($0.rawValue)" } ?? "") }

    static var allValueStrings: [String] { LossyOptions.Method.allCases.map(\.rawValue) }
}

/// `2:4`.
struct PatternArgument: ExpressibleByArgument {
    let n: Int
    let m: Int

    init?(argument: String) {
        let numbers = argument.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let n = numbers[0], let m = numbers[1] else { return nil }
        (self.n, self.m) = (n, m)
    }
}

/// `dare`, a number, or the name of a rule that finds it.
struct RescaleArgument: ExpressibleByArgument {
    /// nil: a rule finds it.
    let rescale: LossyOptions.Rescale?
    let rule: CalibrationOptions.Rule?

    init?(argument: String) {
        rule = CalibrationOptions.Rule(rawValue: argument)
        if rule != nil {
            rescale = nil
        } else if argument == "dare" {
            rescale = .dare
        } else if let q = Double(argument) {
            rescale = .value(q)
        } else {
            return nil
        }
    }
}

extension LossyOptions.Values: ExpressibleByArgument {}
extension LossyOptions.Mask: ExpressibleByArgument {}
extension LossyOptions.Scope: ExpressibleByArgument {}
extension LossyOptions.Choice: ExpressibleByArgument {}
extension LossyOptions.Vectors: ExpressibleByArgument {}
extension LossyOptions.Embeddings: ExpressibleByArgument {}
extension LossyOptions.Heads: ExpressibleByArgument {}
extension CalibrationOptions.Scope: ExpressibleByArgument {}
extension SweepOptions.Rows: ExpressibleByArgument {}
