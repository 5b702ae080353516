/** Passwords that are tried first: whole ones of ten characters and more, and words that digits are put around. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Not those that a rule of guessable.ts knows already. */
export const COMMON_PASSWORDS = words(`
  !qaz2wsx3edc 1g2w3e4r5t 20100728qw 3rjs1la7qe
  0192837465 0246813579 0987612345 1029384756 1122334455 11223344556 112233445566 1212343456 1223334444 1231231234
  123123123a 1232323232 123321123321 123454321a 1234554321 1234560987 1234567654321 1234567887654321 12345678900
  1234567890a 1234567890q 1234567891 12345678910 12345678987654321 123456789a 123456789abc 123456789m 123456789q
  123456789qwe 123456789s 123456789z 123456abcd 123456asdf 12345abcde 1234abcd1234 1234qwer1234 1234qwerasdf
  1234qwerasdfzxcv 123654789a 123698745a 123789456a 123abc123abc 123qwe123qwe 1357924680 1470258369 147258369a
  147852369a 1593572468 159357258456 159357456852 159753456852 1a2b3c4d5e 1a2b3c4d5e6f 1a2s3d4f5g 1a2s3d4f5g6h
  1q2w3e4r1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o 1q2w3e4r5t6y7u8i9o0p
  1qa2ws3ed4rf 1qa2ws3ed4rf5tg 1qazxsw23edc 1qazxsw23edcvfr4 1qw23er45t 1qw23er45ty67u 2468013579 3.14159265
  3.1415926535 3141592653 31415926535 314159265358979 4815162342 5201314520 7418529630 741852963a 7894561230
  789456123a 852456789a 9638527410 963852741a 987654321a 987654321q a123456789 a1b2c3d4e5 a1b2c3d4e5f6 a1s2d3f4g5
  a1s2d3f4g5h6 aa12345678 aa123456789 aaa1234567 abc1234567 abc123456789 abcd123456 abcd12345678 abcd1234abcd
  abcde12345 abcdef123456 abcdefg123 abcdefg1234567 accessdenied adminadmin1 adminpassword afghanistan airjordan23
  alexandria allison123 alohaalola alphabeta1 amandabynes applesauce asdasd123123 asdasdasd1 asdf;lkj12 asdfasdf12
  asdfasdf123 asdfgh12345 asdfgh123456 asdfghjkl1 asdfghjkl12 asdfghjkl123 asdfjkl;123 asdfqwer1234 asdqwe123456
  asdzxc1234 asdzxcqwe123 assassinscreed australia1 avengedsevenfold azertyuiop123 backstreetboys beautifulday
  bestfriend bestfriends bestfriends1 bigdaddy12 billabong1 birmingham blackberry blackberry1 blackbirds blackjack1
  blackjack21 blink182182 bluebonnet booboo1234 brittany12 brotherhood bubblegum1 buckeyes12 bulldogs12 butterflies
  callofduty callofduty4 capricorn1 cardinals1 cartoonnetwork catherine1 champions1 charlotte1 cheerleader
  cheerleader1 cheeseburger chelseafc1 christina1 christine1 christmas1 christmas25 christopher christopher1
  cinderella cinderella1 clearwater cleveland1 commander1 compaq1234 confidential constantine cookiemonster
  correcthorse correcthorsebatterystaple counterstrike cowboys123 crazy12345 crossroads cutie12345 danielle12
  darkknight darkness12 dashboard1 daylight12 deathnote1 depechemode derrickrose destiny123 dickinson1 dolphins12
  dolphins13 dontforget donttellme dragonball dragonball1 dragonballz drowssap12 dudedude12 dumbledore eatmyshorts
  einstein12 excalibur1 fallenangel fallout123 fernandez1 firebird12 firefighter fireworks1 flamengo12 fluffy1234
  forgetmenot fortnite12 fortnite123 friendster fullmetal1 georgetown gfhjkm1234 gingerbread gladiator1 godisgood1
  godisgreat godislove1 goldfish12 goodfellas goodmorning grandmother grasshopper greatness1 greenday12 guardian12
  gustavo123 hacker1234 hallelujah halloween1 hannamontana happybirthday harleydavidson harrypotter harrypotter1
  heartbreaker heineken12 hellokitty hellokitty1 helloworld helloworld1 helpmehelpme hermione12 heythere12 highlander
  highschool hollister1 hollywood1 homeless12 homersimpson honeybunny hotmail123 houseofcards hurricane1 icecream12
  idontcare1 idontknow1 ihateyou12 iknowyou12 illuminati iloveallah iloveamanda iloveboys1 ilovechris ilovedavid
  ilovegod12 ilovehim12 ilovejesus ilovejesus1 ilovejosh1 ilovemike1 ilovemom12 ilovemom123 ilovemusic ilovemyself
  ilovemyson iloveryan1 ilovethis1 iloveyoubaby iloveyousomuch imissyou12 imissyou123 immortal12 incredible
  independence infinity12 insane1234 intelligent invincible jackass123 jackdaniels jeremiah12 jesuschrist jesuschrist1
  jesusislord jesuslives jesuslove1 jesuslovesme jesussaves johncena12 johncena54 johndeere1 jonasbrothers jupiter123
  justin1234 justinbieber justinbieber1 killerqueen kimberley1 kingdomhearts kingkong12 kitkat1234 kittycat12
  knights123 kobebryant kobebryant24 lacrosse12 lakers2424 lasvegas12 leavemealone lebronjames letmeinnow lifegoeson
  lifeisgood linkinpark linkinpark1 littleman1 livestrong location12 logitech12 lokomotiv1 lollipop12 lollypop12
  lordoftherings loveislife lovelife12 lovelove12 lovelove123 loverboy12 madagascar magdalena1 magic12345 manchester
  manchester1 manchesterunited manutd1234 margarita1 marihuana1 marijuana1 marijuana420 mariposa12 marshmallow
  martinez12 maximus123 mercedesbenz merrychristmas messenger1 michaeljackson mickeymouse millionaire mississippi
  moneymaker montgomery moonlight1 morningstar motherlode motocross1 motorcycle motorola12 mountaindew mushroom12
  mypassword mypassword1 mysecretpassword nathaniel1 navigator1 netscreen1 newcastle1 newcastleunited newpassword
  newyorkcity nightingale nightmare1 ninja12345 nirvana123 nowayout12 odysseus12 officejet1 onedirection onedirection1
  onelove123 onetwothree opensesame panasonic1 parisparis passpass12 pathfinder peanutbutter perfect123 peterpan12
  philadelphia phoenix123 photograph photography playboy123 playstation playstation1 playstation2 playstation3
  pleaseletmein poiuytrewq1 poohbear12 popcorn123 portugal12 precious12 precious1234 president1 prettygirl princesa12
  privateers prophecy12 punkrocker pussycat12 q1w2e3r4t5 q1w2e3r4t5y6 q1w2e3r4t5y6u7 q1w2e3r4t5y6u7i8 qaz123wsx456
  qazqazqaz1 qazxswedc1 qazxswedc123 qazxswedcvfr qq12345678 qq123456789 qqwwee1122 quicksilver qwaszx1234
  qwaszxqwaszx qwe123asd456 qwe123asd456zxc qwe123qwe123 qwer1234asdf qwer1234qwer qwerasdf1234 qwerasdfzxcv
  qwerasdfzxcv1234 qwerty1qwerty qwertyasdf qwertyasdfgh qwertyui12 qwertyui1234 qwertyuiop0 qwertyuiop1 qwertyuiop10
  qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiop12345 qwertyuiop123456789 rammstein1 randomword raspberry1
  realmadrid realmadrid1 redhotchilipeppers remember12 remember123 resident12 residentevil revolution rockandroll
  rockstar12 rodriguez1 rollercoaster rolltide12 romeojuliet ronaldinho ronaldo123 ronaldo777 roosevelt1 runescape1
  runescape12 runescape123 sagittarius samsunggalaxy sandiego12 sanfrancisco santaclaus santiago12 sasukeuchiha
  scarlett12 schoolwork scooby1234 scoobydoo1 scoobydoo2 scorpion12 secretpassword serenity12 sheffield1 sherlock12
  shinigami1 silverado1 silversurfer simplepassword simpsons12 skateboard skateboard1 skateboarding skywalker1
  smackdown1 snickers12 snowboard1 snowboarding softball12 something1 spongebob1 spongebob12 springfield squarepants
  starcraft1 starcraft2 starlight1 startrek12 stephanie1 stephanie12 strawberries strawberry strawberry1
  strongpassword submarine1 success123 summertime sunflower1 sunflower12 superhero1 supernatural superuser1 superwoman
  sweetheart sweetheart1 sweetness1 sweetpea12 swordfish1 teddybear1 teddybear12 teenagemutantninjaturtles tennessee1
  terminator testpassword testtest12 testtest123 thailand12 thebeatles thegodfather thelastofus thematrix1 theresa123
  thunderbird thundercats timberlake tinkerbell tinkerbell1 tokiohotel tomorrow12 topsecret1 tottenham1 toyota1234
  transformers travis1234 treasure12 triumph123 trustnoone twilight12 twinkletoes undertaker underworld unforgiven
  university unlimited1 valentina1 valentine1 valentino46 verygoodpassword videogames viewsonic1 volkswagen volleyball
  volleyball1 voyager123 warcraft12 warhammer1 washington washington1 waterfall1 watermelon watermelon1 westminster
  westside12 whiskey123 whitehorse whitesnake wildcats12 williams12 wolverine1 wonderful1 wonderland wonderwall
  woodstock1 wordpass12 workhard12 worldofwarcraft wrestling1 wwwwwwwww1 xbox360live xxx1234567 xxxxxxxxxx1 youandme12
  yourmother yoyoyo1234 yu-gi-oh12 zaq12wsx12 zaq12wsxcde3 zaq1xsw2cde3 zaqwsxcde1 zaqwsxcderfv zaqxswcde123
  zaqxswcdevfr zxasqw1234 zxc123456789 zxcasdqwe123 zxcv123456 zxcv12345678 zxcvasdfqwer zzzzzzzzz1
`);

/** In words as they are written plainly: what digits and signs stand for is undone first. */
export const COMMON_WORDS = words(`
  adobe gwerty photoshop qwaszx
  access account admin administrator alexander amanda america andrea andrew angel angels anthony apple april arsenal
  ashley august azerty babygirl bailey banana barcelona baseball basketball batman beautiful biteme bitch blessed
  brandon buster butterfly california carlos changeit changeme charlie cheese chelsea chicken chocolate christian cocacola
  computer contrasena cookie cowboy customer daniel david december default demo diamond dolphin donald dragon eagles
  elephant elizabeth everton eminem facebook family february ferrari flower football forever formula freedom friday friends
  fuck fucker fuckme fuckoff fuckyou garfield gateway george ginger google guest guitar hallo hannah happy harley heather
  hello hockey holiday hottie hunter iloveu iloveyou internet january jasmine jennifer jessica jesus jonathan jordan joseph
  joshua july june juventus killer knight letmein linkedin liverpool login london love loveme lovely lovers loveyou lucky
  maggie manager march marina marlboro martin master matrix matthew maverick melissa mercedes merlin metallica michael
  michelle mickey microsoft millrace minecraft monday money monkey monster motdepasse muffin mustang myspace naruto newyork
  nicholas nicole nintendo nothing november october office oliver orange parola pass passord passwort passwd password passwords
  patrick peanut pepper pokemon porsche princess purple qazwsx qazwsxedc qweasd qweasdzxc qwert qwertz qwerty rabbit rachel
  rainbow ranger richard robert rockyou root samantha samsung saturday secret security senha september server shadow shop
  silver slipknot snoopy soccer sophie spiderman staff starwars steelers summer sunday sunshine superman superstar support
  system taylor temp temporary test tester testing thomas thunder thursday tiger tigger trustno tuesday user vanessa victoria
  viking virgin wachtwoord wednesday welcome whatever william windows winter wizard yankees yellow zxcvbn zxcvbnm autumn spring
`);
