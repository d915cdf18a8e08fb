internal import DeltaKernels
internal import SiltInterop
internal import SiltPacking
internal import ArgumentParser

extension PackOptions.CodecChoice: ExpressibleByArgument {}
extension PackOptions.Prediction: ExpressibleByArgument {}
extension WeightSync.Encoding: ExpressibleByArgument {}
extension WeightSync.Checksum: ExpressibleByArgument {}
