internal import ByteSources
internal import Safetensors
internal import SiltFormat
internal import SiltReading
internal import TensorTypes

extension Manifest {
    /// What the file says of an encoding.
    ///
    /// - Throws: `fault` if the encoding lacks what must be said; better an error than a wrong file.
    init(_ plan: PackPlan, _ encoded: Encoded, _ decision: LossyDecision?) throws(SiltError) {
        var files: [FileRecord] = []
        for index in plan.input.files.indices { files.append(try FileRecord(index, plan, encoded)) }
        let base = zip(plan.input.bases, encoded.bases).filter { $0.0.file == nil }.map {
            (name: $0.tensor.name, info: $0.tensor.info, digest: $1)
        }
        let tensors = files.flatMap { file -> [TensorRecord] in
            guard case .safetensors(_, let tensors) = file.content else { return [] }
            return tensors
        }
        guard let root = CheckpointRoot.root(of: tensors) else { throw SiltError.fault("a tensor has no digest") }
        self.init(
            contract: decision == nil ? .exact : .lossy, writer: SiltVersion.writer,
            form: plan.input.form == .file ? .file : .directory,
            base: Identity(
                root: CheckpointRoot.root(of: base), tensors: base.count,
                parameters: base.reduce(0) { $0 + $1.info.parameters }),
            result: Identity(
                root: root, tensors: tensors.count, parameters: tensors.reduce(0) { $0 + $1.info.parameters }),
            bytes: files.reduce(0) { $0 + $1.bytes }, files: files)
        if let decision { describe(decision, plan, encoded) }
    }

    /// Adds what only lossy files have.
    private mutating func describe(_ decision: LossyDecision, _ plan: PackPlan, _ encoded: Encoded) {
        var sums = ReceiptSums()
        for tensor in encoded.tensors { if let lossy = tensor.lossy { sums.add(lossy.sums) } }
        source = CheckpointRoot.root(
            of: zip(plan.input.tensors, encoded.tensors).map {
                (name: $0.name, info: $0.info, digest: Digest128(pieces: $1.digests))
            })
        receipt = sums.receipt
        packing = decision.options.summary + decision.tuning.notes
        evaluations = decision.tuning.evaluations
    }
}

extension FileRecord {
    /// The record of file `index` of the input.
    fileprivate init(_ index: Int, _ plan: PackPlan, _ encoded: Encoded) throws(SiltError) {
        let file = plan.input.files[index]
        let content: Content
        switch file.content {
        case .safetensors(let header, let tensors):
            var records: [TensorRecord] = []
            for tensor in plan.input.tensors[tensors] {
                if let twin = tensor.twin {
                    records.append(TensorRecord(tensor, copying: twin, encoded.tensors[twin.index], plan.input))
                } else {
                    records.append(try TensorRecord(tensor, encoded.tensors[tensor.index], encoded.bases))
                }
            }
            content = .safetensors(header: header, tensors: records)
        case .other(let other):
            let digest = Digest128(pieces: plan.measured.others[other].digests)
            switch encoded.others[other] {
            case .base: content = .base(digest: digest, from: file.path)
            case .stored(let codec, let chunks): content = .stored(digest: digest, codec: codec, chunks: chunks)
            }
        }
        self.init(path: file.path, bytes: file.input.size, sha256: encoded.sha256[index], content: content)
    }
}

extension TensorRecord {
    /// A copy of an earlier tensor, lossy if that one is.
    fileprivate init(_ tensor: PackTensor, copying twin: PackTensor, _ encoded: Encoded.Tensor, _ input: PackInput) {
        let source = ResultSource(index: twin.index, name: twin.name, file: input.path(of: twin), info: twin.info)
        let elements = tensor.info.elements
        self.init(
            name: tensor.name, info: tensor.info, range: tensor.entry.range,
            digest: encoded.lossy?.digest ?? Digest128(pieces: encoded.digests),
            base: BaseRecord(sources: [.result(source)], runs: BaseRecord.plainRuns(elements, elements)),
            parts: [PartRecord(kind: .copy, elements: 0..<elements)], receipt: encoded.lossy?.sums.receipt)
    }

    fileprivate init(_ tensor: PackTensor, _ encoded: Encoded.Tensor, _ bases: [Digest128]) throws(SiltError) {
        var parts: [PartRecord] = []
        var segments = tensor.segments[...]
        if let lossy = encoded.lossy {
            guard let segment = segments.popFirst() else { throw tensor.fault("a lossy tensor has no elements") }
            parts.append(PartRecord(kind: .copy, elements: segment.elements, components: lossy.components))
        }
        guard segments.count == encoded.segments.count else { throw tensor.fault("a segment was not packed") }
        for (segment, encoded) in zip(segments, encoded.segments) {
            let coding = encoded.coding
            parts.append(
                PartRecord(
                    kind: coding.kind, elements: segment.elements, codec: coding.codec, chunks: encoded.chunks,
                    tables: encoded.tables, unit: coding.kind == .exact ? segment.unit : nil,
                    components: encoded.components))
        }
        var base: BaseRecord?
        if parts.contains(where: { $0.kind != .whole }), let match = tensor.base {
            base = BaseRecord(
                sources: match.sources.map {
                    .base(
                        BaseTensorRecord(
                            name: $0.tensor.name, file: $0.file, info: $0.tensor.info, digest: bases[$0.index]))
                }, runs: match.runs)
        }
        self.init(
            name: tensor.name, info: tensor.info, range: tensor.entry.range,
            digest: encoded.lossy?.digest ?? Digest128(pieces: encoded.digests), base: base, parts: parts,
            receipt: encoded.lossy?.sums.receipt)
    }
}
