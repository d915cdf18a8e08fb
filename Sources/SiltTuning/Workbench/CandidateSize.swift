internal import SiltPacking
internal import DeltaCodecs
internal import SiltFormat
internal import TensorTypes

/// Says how large the file of a candidate would be: its manifest is made and compressed, its chunks are counted.
///
/// Digests and receipts are made up, as nothing is rebuilt; they have as many digits as true ones.
struct CandidateSize: Sendable {
    /// Those of the exact file, from which comes all that a candidate leaves alone.
    private let manifest: Manifest
    private let table: ChunkTable
    /// Files of the exact file that a candidate refers to.
    private let references: Set<String>

    init(exact: Packing) {
        (manifest, table, references) = (exact.manifest, exact.table, exact.lossyReferences)
    }

    /// What becomes of a tensor.
    struct Coded {
        let name: String
        /// Elements that the base has: the others stay as they are.
        let known: Int
        let components: [ComponentRecord]
        let chunks: ComponentChunks
        /// What the file says of the loss, where that is known; nil: something as long.
        let receipt: Receipt?
    }

    /// Bytes of the file.
    ///
    /// - Parameter evaluations: how many it records.
    func bytes(
        _ tensors: [Coded], _ packing: [(name: String, value: String)], evaluations: Int
    ) throws(SiltError) -> Int {
        let coded = Dictionary(tensors.map { (ByteName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        var file = File(table)
        var candidate = manifest
        for index in candidate.files.indices {
            switch candidate.files[index].content {
            case .stored(let digest, _, _) where references.contains(candidate.files[index].path):
                candidate.files[index].content = .base(digest: digest, from: candidate.files[index].path)
            case .stored(let digest, let codec, let chunks):
                candidate.files[index].content = .stored(digest: digest, codec: codec, chunks: file.keep(chunks))
            // What is rebuilt has another one, which nobody records.
            case .safetensors: candidate.files[index].sha256 = nil
            case .base: break
            }
        }
        candidate.changeTensors { record in
            guard let coded = coded[ByteName(record.name)] else {
                record.parts = record.parts.map { file.keep($0) }
                return
            }
            let rest = record.parts.filter { $0.elements.lowerBound >= coded.known }.map { file.keep($0) }
            let components = file.append(coded.chunks, coded.components)
            record.parts = [PartRecord(kind: .copy, elements: 0..<coded.known, components: components)] + rest
            record.receipt = coded.receipt ?? CandidateSize.receipt(record.digest)
            // The base's digest, which the manifest has then once.
            if components.isEmpty, rest.isEmpty { record.digest = record.base?.baseTensors.first?.digest }
        }
        candidate.contract = .lossy
        candidate.source = candidate.result.root
        candidate.result.root = String(candidate.source?.reversed() ?? [])
        candidate.receipt = CandidateSize.receipt(nil)
        candidate.packing = packing
        candidate.evaluations = (0..<evaluations).map { index in
            EvaluationRecord(
                data: CandidateSize.other(candidate.result.root), use: .calibration,
                metric: index == 0 ? "kl" : "accuracy", examples: 250, base: nil, fineTuned: 0.8125,
                rebuilt: 0.8123456789012345)
        }
        return try ContainerWriter.size(candidate, file.chunks)
    }

    /// A digest that has nothing in common with this one, so that it cannot be compressed beside it.
    private static func other(_ digest: String) -> String {
        let digits = Array("0123456789abcdef")
        return String(digest.map { character in digits[15 - (character.hexDigitValue ?? 0)] })
    }

    /// Four numbers of six digits.
    private static func receipt(_ digest: Digest128?) -> Receipt {
        let bits = digest ?? Digest128(pieces: [])
        func number(_ shift: UInt64) -> Double { Double(100_000 + (bits.high >> shift) % 900_000) / 1_000_000 }
        return Receipt(l2: number(0), max: number(16), cosine: number(32), changed: number(44))
    }

    /// The chunks of a candidate's file.
    private struct File {
        /// Those of the exact file.
        private let exact: ChunkTable
        private(set) var chunks = ChunkTable()
        /// Tables that several tensors share, once they are there.
        private var known: [Int: Int] = [:]

        init(_ exact: ChunkTable) { self.exact = exact }

        /// Takes over chunks of the exact file.
        mutating func keep(_ range: Range<Int>) -> Range<Int> {
            let first = chunks.count
            for index in range { _ = chunks.append(size: exact.size(index), checksum: exact.checksum(index)) }
            return first..<chunks.count
        }

        /// Takes over a chunk, once.
        private mutating func keep(_ index: Int) -> Int {
            if let place = known[index] { return place }
            let place = keep(index..<index + 1).lowerBound
            known[index] = place
            return place
        }

        /// Takes over a part.
        mutating func keep(_ part: PartRecord) -> PartRecord {
            var part = part
            part.chunks = keep(part.chunks)
            part.tables = part.tables.map { keep($0) }
            part.components = part.components.map { component in
                component.changing { matrix in
                    matrix.chunks = keep(matrix.chunks)
                    matrix.maskTables = matrix.maskTables.map { $0.map { keep($0) } }
                    matrix.columnChunk = matrix.columnChunk.map { keep($0) }
                    matrix.valueTables = matrix.valueTables.map { keep($0) }
                }
            }
            return part
        }

        /// Adds the chunks of components, and numbers those.
        mutating func append(_ added: ComponentChunks, _ components: [ComponentRecord]) -> [ComponentRecord] {
            let offset = added.enter(in: &chunks)
            return components.map { $0.moved(by: offset) }
        }
    }
}
