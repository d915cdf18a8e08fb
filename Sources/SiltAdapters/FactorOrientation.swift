internal import Safetensors
internal import TensorTypes

/// Tells which factor belongs to the rows of a weight and which to its columns.
///
/// A linear layer's weight is [out, in], that of GPT-2's Conv1D [in, out]. PEFT goes by the class of the layer, and the flag
/// `fan_in_fan_out` of the configuration is only right if all adapted layers are alike. So the shapes decide; for square weights,
/// what the other weights of the same name's ending are, then what all others are, then the flag.
struct FactorOrientation {
    enum Fit { case direct, turned, either, none }

    /// A pair of factors, the base's tensor that they change, and the shape that the weight has (another than the base's after a
    /// change of the vocabulary).
    struct Match {
        let pair: LowRankPair
        let tensor: Checkpoint.Tensor
        let shape: [Int]
    }

    private let isFanInFanOut: Bool
    /// By the last component of a module's path: whether its weights that are not square are [in, out].
    private var byEnding: [String: Set<Bool>] = [:]
    private var overall: Set<Bool> = []

    init(_ matched: [Match], isFanInFanOut: Bool) {
        self.isFanInFanOut = isFanInFanOut
        for match in matched where !match.pair.isEmbedding {
            switch FactorOrientation.fit(match.pair, match.shape) {
            case .direct: note(match.pair, false)
            case .turned: note(match.pair, true)
            default: break
            }
        }
    }

    private mutating func note(_ pair: LowRankPair, _ isTurned: Bool) {
        byEnding[FactorOrientation.ending(of: pair), default: []].insert(isTurned)
        overall.insert(isTurned)
    }

    private static func ending(of pair: LowRankPair) -> String {
        let components = pair.target.split(separator: ".")
        return components.dropLast().last.map(String.init) ?? pair.target
    }

    /// How factors fit a weight of this shape.
    static func fit(_ pair: LowRankPair, _ weight: [Int]) -> Fit {
        let (a, b) = (pair.first.info.shape, pair.second.info.shape)
        let isDirect = !pair.isEmbedding && weight == [b[0]] + a.dropFirst()
        let isTurned = a.count == 2 && weight == [a[1], b[0]]
        return isDirect ? (isTurned ? .either : .direct) : (isTurned ? .turned : .none)
    }

    /// Whether the weight is [in, out]; nil if the factors do not fit, or it cannot be told.
    private func isTurned(_ pair: LowRankPair, _ weight: [Int]) -> Bool? {
        switch FactorOrientation.fit(pair, weight) {
        case .direct: return false
        case .turned: return true
        case .none: return nil
        case .either:
            if let known = byEnding[FactorOrientation.ending(of: pair)] { return known.count == 1 ? known.first : nil }
            if overall.count == 1 { return overall.first }
            return overall.isEmpty ? isFanInFanOut : nil
        }
    }

    /// The update of the tensor of `match`.
    ///
    /// Throws `baseDType`, `baseShape` or `limit`.
    func update(_ match: Match, _ adapter: Adapter) throws(SiltError) -> LowRankUpdate {
        let (pair, tensor, shape) = (match.pair, match.tensor, match.shape)
        func refuse(_ code: SiltError.Code, _ message: String, advice: String? = nil) -> SiltError {
            SiltError(code, message, file: adapter.file.path, tensor: pair.target, advice: advice)
        }
        let (a, b) = (pair.first.info, pair.second.info)
        guard [.f32, .f16, .bf16].contains(tensor.info.dtype) else {
            throw refuse(
                .baseDType,
                "the base's \"\(tensor.name)\" is \(tensor.info.dtype.rawValue); an adapter can change F32, F16 "
                    + "and BF16", advice: "give the base in full precision")
        }
        guard let isTurned = isTurned(pair, shape) else {
            let fits = FactorOrientation.fit(pair, shape) != .none
            throw fits
                ? refuse(
                    .baseShape,
                    "the weight is square, and the other weights do not show whether it is [in, out] or "
                        + "[out, in]", advice: AdapterVariants.merge)
                : refuse(
                    .baseShape,
                    "the base's \"\(tensor.name)\" is \(shape), but the factors are A \(a.shape) and "
                        + "B \(b.shape)",
                    advice: VocabularyNames.contains(tensor.name)
                        ? "the vocabulary was resized before training, and the adapter lacks the resized tensor: save it "
                            + "again with save_embedding_layers=True, or give the resized model as the base"
                        : adapter.configuration.rightBase)
        }
        func factor(_ entry: SafetensorsHeader.Entry, isFirst: Bool) -> AdapterFactor {
            AdapterFactor(
                name: entry.name, info: entry.info, range: entry.range, file: adapter.file, rank: pair.rank,
                extent: entry.info.parameters / pair.rank, isTransposed: !isFirst)
        }
        let (first, second) = (factor(pair.first, isFirst: true), factor(pair.second, isFirst: false))
        let (left, right) = isTurned ? (first, second) : (second, first)
        let limit = LowRankUpdate.limit
        guard max(a.parameters, b.parameters) <= limit.elements, left.extent <= limit.rows,
            right.extent <= limit.columns
        else {
            throw refuse(
                .limit,
                "the factors \(a.shape) and \(b.shape) exceed the format's limits (\(limit.elements) elements, "
                    + "\(limit.rows) rows)", advice: AdapterVariants.merge)
        }
        return LowRankUpdate(target: pair.target, rank: pair.rank, scale: pair.scale, left: left, right: right)
    }
}
