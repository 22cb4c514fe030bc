print("kittson")
