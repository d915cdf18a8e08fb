internal import Workers
package import SiltFormat
internal import ByteSources
package import TensorTypes

/// Roots and whole-file hashes, which are SHA-256.
package enum CheckpointRoot {
    /// The root of a checkpoint (Formats/Silt.md, section 4.4).
    package static func root(of tensors: [(name: String, info: TensorInfo, digest: Digest128)]) -> String {
        let records = tensors.map { tensor -> (name: [UInt8], record: [UInt8]) in
            let name = Array(tensor.name.utf8)
            var record: [UInt8] = []
            record.appendLittleEndian(UInt64(name.count))
            record += name
            let dtype = Array(tensor.info.dtype.rawValue.utf8)
            record.appendLittleEndian(UInt64(dtype.count))
            record += dtype
            record.appendLittleEndian(UInt64(tensor.info.shape.count))
            for extent in tensor.info.shape { record.appendLittleEndian(UInt64(extent)) }
            return (name, record + tensor.digest.bytes)
        }
        let sorted = records.sorted { a, b in
            if a.name.lexicographicallyPrecedes(b.name) { return true }
            return a.name == b.name && a.record.lexicographicallyPrecedes(b.record)
        }
        let hash = SHA256()
        for (_, record) in sorted { hash.add(record) }
        return hash.finish()
    }

    /// The root of a result; nil if the digest of a tensor is not known.
    package static func root(of records: [TensorRecord]) -> String? {
        var tensors: [(name: String, info: TensorInfo, digest: Digest128)] = []
        for record in records {
            guard let digest = record.digest else { return nil }
            tensors.append((record.name, record.info, digest))
        }
        return root(of: tensors)
    }
}
