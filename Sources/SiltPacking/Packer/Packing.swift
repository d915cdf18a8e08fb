package import SiltFormat
internal import SiltReading
package import TensorTypes

/// A plan's encoding: the manifest and the chunk table of a file, whose chunks are written or were only counted.
package struct Packing: Sendable {
    package let plan: PackPlan
    let encoded: Encoded
    package let manifest: Manifest
    package let table: ChunkTable

    /// The tensors with what the second pass knows of them.
    package var tensors: [Tensor] {
        zip(plan.input.tensors, zip(plan.measured.tensors, encoded.tensors)).map { tensor, found in
            Tensor(
                known: KnownTensor(tensor: tensor, digests: found.1.digests),
                isStill: found.0.segments.first?.coding.isCopy ?? true, isFinite: found.0.isFinite)
        }
    }

    /// A tensor of the pair.
    package struct Tensor: Sendable {
        package let known: KnownTensor
        /// Whether the base stands for all elements that it has.
        package let isStill: Bool
        /// Whether deltas can be computed in floats.
        package let isFinite: Bool
    }

    /// Bytes of the file.
    package func bytes() throws(SiltError) -> Int { try ContainerWriter.size(manifest, table) }

    /// What is told of the file.
    package func report(bytes: Int, seconds: Double) -> PackReport {
        PackReport(
            contract: manifest.contract, packing: manifest.packing,
            receipt: manifest.receipt, evaluations: manifest.evaluations.map { .init($0) },
            bytes: bytes, fineTunedBytes: manifest.bytes, parameters: manifest.result.parameters, seconds: seconds,
            encodings: EncodingShares.of(manifest, table), findings: PackFindings(plan.input),
            baseRoot: manifest.base.root, resultRoot: manifest.resultRoot)
    }
}

extension Packing {
    /// Paths of the files that this one stores, and that a lossy file of the same plan refers to.
    package var lossyReferences: Set<String> {
        let files = StoredFiles(plan, isLossy: true)
        return Set(plan.input.others.lazy.filter { files.isReference($0.index) }.map(\.path))
    }
}
