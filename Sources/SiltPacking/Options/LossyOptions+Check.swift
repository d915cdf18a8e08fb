package import DeltaCodecs
package import TensorTypes

extension LossyOptions {
    /// Throws `usage` if the options contradict each other or make no sense.
    package func check() throws(SiltError) {
        func refuse(_ message: String, _ advice: String? = nil) -> SiltError {
            SiltError(.usage, message, advice: advice)
        }
        guard drop >= 0, drop < 1 else {
            throw refuse(
                "the drop rate p must be at least 0 and below 1, found \(drop)",
                "p is the share that is dropped, not kept")
        }
        if case .value(let q) = rescale {
            guard q.isFinite, q > 0, Float(q).isFinite, Float(q) > 0 else {
                throw refuse("q must be above 0 and fit binary32, found \(q)")
            }
        }
        guard seed >= 0 else { throw refuse("the seed must be at least 0, found \(seed)") }
        if let rank, rank < 1 { throw refuse("the rank must be at least 1, found \(rank)") }
        guard energy > 0, energy <= 1 else { throw refuse("the energy must be above 0 and at most 1, found \(energy)") }
        guard quality > 0, quality.isFinite else { throw refuse("the quality must be above 0, found \(quality)") }
        guard (2...64).contains(m), (1..<m).contains(n) else {
            throw refuse("n:m needs 1 <= n < m <= 64, found \(n):\(m)")
        }
        guard group >= 0 else { throw refuse("the group must be at least 0, found \(group)") }
        if let values {
            guard method != .sign || values == .sign else {
                throw refuse("method \(method.rawValue) does not have values of type \(values.rawValue)")
            }
            guard method != .transform || residual != nil else {
                throw refuse("method transform chooses its values itself", "leave \(option: .values) out")
            }
        }
        if case .factors(let table) = rescale {
            for (name, factors) in table {
                guard factors.allSatisfy({ $0.isFinite && $0 > 0 && Float($0).isFinite && Float($0) > 0 }) else {
                    throw refuse("the rescale factors of \(name) must be above 0 and fit binary32")
                }
            }
        }
        guard deadZone.isFinite, (-4...4).contains(deadZone) else {
            throw refuse("the dead zone must be between -4 and 4, found \(deadZone)")
        }
        guard !curvature || method == .transform else {
            throw refuse(
                "\(option: .curvature) requires \(option: .method) transform, not \(method.rawValue)",
                "leave \(option: .curvature) out")
        }
        guard vectors != .method || method == .transform else {
            throw refuse(
                "\(option: .vectors) method requires \(option: .method) transform, not \(method.rawValue)",
                "use \(option: .vectors) int4")
        }
        if case .value = rescale, !isPruning {
            throw refuse(
                "q is for pruned deltas, and \(method.rawValue) keeps every element", "leave \(option: .rescale) out")
        }
        guard group == 0 || !isFloat else {
            throw refuse("only quantised values have groups, not \(valueType.rawValue)")
        }
        if let residual {
            guard scope != .global else {
                throw refuse("residuals are made tensor by tensor, so \(option: .scope) global is not possible")
            }
            guard method == .lowrank || method == .transform else {
                throw refuse("only low-rank methods leave a residual, not \(method.rawValue)")
            }
            guard residual != .lowrank, residual != .transform else {
                throw refuse("a residual cannot be \(residual.rawValue)")
            }
        }
        guard mask != .seeded || isRandom else {
            throw refuse(
                "only random choices can be regenerated from a seed, not \(method.rawValue)",
                "leave \(option: .mask) out, or give \(option: .method) random or \(option: .choice) random")
        }
    }

    /// The method that elements are kept by: that of the residual of a low-rank method, where there is one.
    package var elementMethod: Method { residual ?? method }

    /// The type of the values: of a low-rank method's residual, where there is one.
    package var valueType: Values { values(of: elementMethod) }

    /// The type of the values of one of the methods.
    package func values(of method: Method) -> Values {
        if method == .sign { return .sign }
        // Factors are no signs: those are for the residual.
        if values == .sign, !method.isSparse { return .int4 }
        return values ?? .int4
    }

    private var isFloat: Bool { valueType == .f32 || valueType == .f16 || valueType == .bf16 }

    /// Whether a part of the elements is dropped.
    package var isPruning: Bool {
        elementMethod == .nm || (elementMethod.drops && drop > 0)
    }

    /// The threshold of seeded masks: p 2^32, rounded; 0 for p = 0.
    package var threshold: UInt32 { SeededMask.threshold(for: drop) }

    /// Whether positions are chosen at random.
    package var isRandom: Bool {
        elementMethod == .random || ((elementMethod == .columns || elementMethod == .rows) && choice == .random)
    }

    /// The factor that kept values are divided by; nil for none.
    package var q: Double? {
        switch rescale {
        case .value(let q): q
        // 1 - 0.9 is 0.09999999999999998: both are the same binary32, and a person reads one of them.
        case .dare: isRandom && drop > 0 ? ((1 - drop) * 1e12).rounded() / 1e12 : nil
        case .factors: nil
        }
    }

    /// The factors of one tensor, by which its kept values are divided; nil for none.
    package func factor(of tensor: String, rows: Int) -> RescaleFactor? {
        guard case .factors(let table) = rescale else { return isPruning ? q.map { .all($0) } : nil }
        guard let factors = table[tensor], let first = factors.first else { return nil }
        guard factors.count > 1 || rows == 1 else { return first == 1 ? nil : .all(first) }
        return factors.count == rows ? .rows(factors) : nil
    }

    /// Whether q is about the components of products, each of which has one of its own.
    package var rescalesComponents: Bool { method == .transform && residual == nil }

    /// What the components of a tensor are divided by; nil for nothing.
    func componentFactors(of tensor: String) -> [Double]? {
        guard rescalesComponents, case .factors(let table) = rescale else { return nil }
        return table[tensor]
    }
}

extension LossyOptions.Method {
    /// Whether the method has a drop rate.
    package var drops: Bool {
        self == .random || self == .magnitude || self == .wanda || self == .columns || self == .rows
    }

    /// Whether the method stores elements of the delta as they are.
    package var isSparse: Bool { drops || self == .nm || self == .dense || self == .sign }
}
