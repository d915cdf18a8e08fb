public import ArgumentParser
public import Silt

extension PackOptions.CodecChoice: ExpressibleByArgument {}
extension PackOptions.Prediction: ExpressibleByArgument {}
extension WeightSync.Encoding: ExpressibleByArgument {}
extension WeightSync.Checksum: ExpressibleByArgument {}
