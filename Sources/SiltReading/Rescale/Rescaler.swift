package import Workers
internal import DeltaCodecs
internal import SiltFormat
package import TensorTypes

/// Changes the rescale factor q of a lossy file: its chunks stay, only the manifest and the header change.
package struct Rescaler: Sendable {
    /// What q becomes.
    package enum Factor: Sendable, Hashable {
        /// 1 - p, from the thresholds of seeded masks: DARE.
        case dare
        /// This number.
        case value(Double)
        /// By tensor: one number, or one for each row of its matrix. Other tensors keep theirs.
        case tensors([String: [Double]])
        /// The values as they are.
        case none
    }

    /// What was done.
    package struct Report: Sendable {
        /// Tensors whose q changed.
        package let tensors: Int
        /// Evaluations that the file had: they were the old result's, and are removed.
        package let removedEvaluations: Int
        /// Bytes of the file.
        package let bytes: Int
        /// Root of the result; nil if it is not known any more.
        package let resultRoot: String?
        /// Wall-clock seconds.
        package let seconds: Double
    }

    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A rescaler.
    package init(_ context: WorkContext) { self.context = context }

    /// Sets q of all pruned matrices of `file`, which is replaced by a whole new file under its name.
    ///
    /// Evaluations are removed: they were of the old result. Its digests are not known any more, nor is the receipt: give
    /// `base` (and `fineTuned` for the receipt) and they are recomputed, or run `silt verify --update` later.
    ///
    /// - Parameters:
    ///   - q: what it becomes; a number is finite and above 0.
    ///   - pattern: a regular expression of tensors' names; nil for all.
    /// - Throws: `usage` if q makes no sense, the file is not lossy or does not say what was pruned, `noMatch` if nothing is pruned.
    package func rescale(
        _ file: String, q: Factor, only pattern: String? = nil, base: String? = nil, fineTuned: String? = nil
    ) throws(SiltError) -> Report {
        let clock = ContinuousClock()
        let begin = clock.now
        if case .value(let q) = q { try Rescaler.check(q) }
        if case .tensors(let table) = q { for q in table.values.joined() { try Rescaler.check(q) } }
        let container = try ContainerReader(file)
        guard container.manifest.contract == .lossy else {
            throw SiltError(.usage, "the file is exact, so it has no q to change", file: file)
        }
        let regex = try NamePattern(pattern)
        let pruned = PrunedMatrices(container.manifest)
        // What another tensor codes a residual over must stay as it is.
        let needed = Set(
            container.manifest.tensors.filter { $0.parts.contains { $0.kind == .exact || $0.kind == .xor } }
                .flatMap { $0.base?.sources ?? [] }.compactMap { source -> ByteName? in
                    if case .result(let source) = source { ByteName(source.name) } else { nil }
                })
        func isNeeded(_ tensor: TensorRecord) -> Bool { needed.contains(ByteName(tensor.name)) }
        var manifest = container.manifest
        var count = 0
        do throws(SiltError) {
            try manifest.changeTensors { (tensor) throws(SiltError) in
                guard regex.matches(tensor.name), try pruned.contains(tensor), !isNeeded(tensor) else { return }
                var numbers: [Double]?
                if case .tensors(let table) = q {
                    guard let found = table[tensor.name] else { return }
                    numbers = found
                }
                count += 1
                try Rescaler.change(&tensor, to: q, numbers, pruned)
            }
        } catch {
            throw error.at(file: file)
        }
        if case .tensors(let table) = q, count < table.count {
            var unknown = Set(table.keys)
            for tensor in container.manifest.tensors where try pruned.contains(tensor) { unknown.remove(tensor.name) }
            if let name = unknown.min() {
                throw SiltError(.noMatch, "no tensor of this name is pruned", file: file, tensor: name)
            }
        }
        guard count > 0 else {
            throw SiltError(
                .noMatch, "no pruned tensor's name matches", file: file, advice: "silt inspect lists what is pruned")
        }
        manifest.forgetCopies()
        manifest.result.root = ""
        manifest.receipt = nil
        manifest.evaluations = []
        manifest.packing.removeAll { $0.name == "q" || EvaluatorNote.isOne($0.name) }
        manifest.packing.append((name: "q", value: q.description))
        if let base {
            // Before the file is replaced: a wrong base must leave it as it is.
            manifest = try DigestUpdate(context).manifest(
                of: ContainerReader(container, manifest: manifest), base: base, against: fineTuned)
        }
        let bytes = try ContainerRewriter.replace(container, with: manifest, check: context.cancellation.check)
        return Report(
            tensors: count, removedEvaluations: container.manifest.evaluations.count, bytes: bytes,
            resultRoot: manifest.resultRoot, seconds: begin.duration(to: clock.now).inSeconds)
    }

    /// Writes the digests of a lossy file's result into it, and with `fineTuned` the receipts.
    ///
    /// Does nothing if all are known and no receipt is wanted.
    package func update(base: String, file: String, fineTuned: String? = nil) throws(SiltError) {
        let container = try ContainerReader(file)
        let manifest = container.manifest
        guard manifest.contract == .lossy else { return }
        guard manifest.result.root.isEmpty || (fineTuned != nil && manifest.receipt == nil) else { return }
        let update = try DigestUpdate(context).manifest(of: container, base: base, against: fineTuned)
        _ = try ContainerRewriter.replace(container, with: update, check: context.cancellation.check)
    }

    /// Throws `usage` for what cannot be a q.
    private static func check(_ q: Double) throws(SiltError) {
        guard q.isFinite, Float(q).isFinite, Float(q) > 0 else {
            throw SiltError(.usage, "q must be above 0 and fit binary32, found \(q)")
        }
    }

    /// Gives the pruned matrices of a tensor another q.
    private static func change(
        _ tensor: inout TensorRecord, to q: Factor, _ numbers: [Double]?, _ pruned: PrunedMatrices
    ) throws(SiltError) {
        for index in tensor.parts.indices where tensor.parts[index].kind == .copy {
            let partRows = tensor.matrixShape(of: tensor.parts[index]).rows
            for place in tensor.parts[index].components.indices {
                let component = tensor.parts[index].components[place]
                // The rows of a factor are its directions.
                let rows = if case .lowRank(let product) = component { product.rank } else { partRows }
                let name = tensor.name
                tensor.parts[index].components[place] = try component.changing { (matrix) throws(SiltError) in
                    guard try pruned.contains(matrix) else { return }
                    if q == .dare, !matrix.coding.masks.contains(where: \.isSeeded) {
                        throw SiltError(
                            .usage, "the mask is stored as positions, so the file does not record p", tensor: name,
                            advice: "give q as a number")
                    }
                    if let numbers, numbers.count != 1, numbers.count != rows {
                        throw SiltError(
                            .usage, "\(numbers.count) numbers for the \(rows) rows of this tensor", tensor: name)
                    }
                    matrix.coding.q = factor(q, numbers, matrix.coding)
                }
            }
        }
        tensor.digest = nil
        tensor.receipt = nil
    }

    private static func factor(
        _ q: Factor, _ numbers: [Double]?, _ coding: MatrixCoding
    ) -> RescaleFactor? {
        switch q {
        case .none: return nil
        case .value(let q): return .all(q)
        case .tensors: return numbers.map { $0.count == 1 ? .all($0[0]) : .rows($0) }
        case .dare:
            var keep = 1.0
            for mask in coding.masks {
                if case .seeded(_, let threshold) = mask.positions { keep *= 1 - SeededMask.rate(of: threshold) }
            }
            guard keep < 1 else { return nil }
            // What a threshold rounds is far below what a person writes; several masks can keep less than that.
            let rounded = (keep * 1e9).rounded() / 1e9
            return .all(rounded > 0 ? rounded : keep)
        }
    }
}

extension Manifest {
    /// Forgets the digests of tensors that others predict whose digests are not known.
    fileprivate mutating func forgetCopies() {
        let unknown = Set(tensors.indices.filter { tensors[$0].digest == nil })
        changeTensors { tensor in
            for index in tensor.base?.sources.indices ?? 0..<0 {
                guard case .result(var source)? = tensor.base?.sources[index], unknown.contains(source.index) else {
                    continue
                }
                source.hasDigest = false
                tensor.base?.sources[index] = .result(source)
                tensor.digest = nil
                tensor.receipt = nil
            }
        }
    }
}

extension Rescaler.Factor: CustomStringConvertible {
    /// As a person writes it.
    package var description: String {
        switch self {
        case .dare: "dare"
        case .value(let q): "\(q)"
        case .tensors(let table): "by tensor (\(table.count))"
        case .none: "none"
        }
    }
}
